locals {
  # What a deployment is a picture of. A change of any of it makes a new one; its tags or its name do not.
  triggers = merge(
    { selection = aws_apigatewayv2_api.websocket.route_selection_expression },
    { authorizer = jsonencode({
      uri              = aws_apigatewayv2_authorizer.authorizer.authorizer_uri
      identity_sources = local.identity_sources
    }) },
    { for key, route in aws_apigatewayv2_route.route : "route ${key}" => jsonencode({
      target             = route.target
      authorization_type = route.authorization_type
      authorizer_id      = route.authorizer_id
      response           = route.route_response_selection_expression
    }) },
    { for key, integration in aws_apigatewayv2_integration.function : "integration ${key}" => jsonencode({
      uri     = integration.integration_uri
      timeout = integration.timeout_milliseconds
    }) },
    { for key, integration in aws_apigatewayv2_integration.mock : "integration ${key}" => jsonencode({
      request  = integration.request_templates
      response = aws_apigatewayv2_integration_response.mock[key].response_templates
    }) },
  )
}

resource "aws_apigatewayv2_deployment" "websocket" {
  api_id      = aws_apigatewayv2_api.websocket.id
  description = "Made by Terraform when a route, an integration or the authorizer changed."
  triggers    = local.triggers

  lifecycle {
    create_before_destroy = true
  }

  depends_on = [
    aws_apigatewayv2_integration_response.mock,
    aws_apigatewayv2_route_response.mock,
  ]
}

resource "aws_apigatewayv2_stage" "websocket" {
  api_id        = aws_apigatewayv2_api.websocket.id
  name          = var.stage
  deployment_id = aws_apigatewayv2_deployment.websocket.id
  tags          = local.tags

  # Both, always: one that is left out may become 0, which lets nothing through.
  default_route_settings {
    throttling_rate_limit    = var.throttle.rate
    throttling_burst_limit   = var.throttle.burst
    detailed_metrics_enabled = true
    # Execution logs hold bodies; what is needed of them is in the access log and in the functions' own.
    logging_level      = "OFF"
    data_trace_enabled = false
  }

  dynamic "access_log_settings" {
    for_each = aws_cloudwatch_log_group.access

    content {
      destination_arn = access_log_settings.value.arn
      # Neither the query nor a header is in it: a token must not be.
      format = jsonencode({
        requestId        = "$context.requestId"
        requestTime      = "$context.requestTime"
        eventType        = "$context.eventType"
        routeKey         = "$context.routeKey"
        status           = "$context.status"
        connectionId     = "$context.connectionId"
        sourceIp         = "$context.identity.sourceIp"
        device           = "$context.authorizer.device"
        authorizerStatus = "$context.authorizer.status"
        authorizerError  = "$context.authorizer.error"
        integrationError = "$context.integrationErrorMessage"
        latencyMs        = "$context.integrationLatency"
        error            = "$context.error.messageString"
      })
    }
  }

  depends_on = [aws_api_gateway_account.logging]
}
