locals {
  routes      = local.manifest.webSocket.routes
  lambda_keys = [for key, route in local.routes : key if can(route.function)]
  mock_keys   = [for key, route in local.routes : key if !can(route.function)]

  # All of them must be there, or the gateway answers 401 without asking the authorizer.
  identity_sources = var.token_in_query ? null : ["route.request.header.Authorization"]
}

resource "aws_apigatewayv2_api" "websocket" {
  name                       = local.prefix
  description                = "Agents' links, and the http function's reply channels."
  protocol_type              = "WEBSOCKET"
  route_selection_expression = local.manifest.webSocket.routeSelectionExpression
  tags                       = local.tags
}

# No payload format, simple responses or result cache: WebSocket APIs have none of them.
resource "aws_apigatewayv2_authorizer" "authorizer" {
  api_id           = aws_apigatewayv2_api.websocket.id
  name             = local.manifest.webSocket.authorizer
  authorizer_type  = "REQUEST"
  authorizer_uri   = aws_lambda_function.function[local.manifest.webSocket.authorizer].invoke_arn
  identity_sources = local.identity_sources
}

resource "aws_apigatewayv2_integration" "function" {
  for_each = toset(local.lambda_keys)

  api_id             = aws_apigatewayv2_api.websocket.id
  integration_type   = "AWS_PROXY"
  integration_method = "POST"
  integration_uri    = aws_lambda_function.function[local.routes[each.key].function].invoke_arn
  # The gateway waits no longer than 29 s.
  timeout_milliseconds = min(29000, local.manifest.functions[local.routes[each.key].function].timeoutSeconds * 1000)
}

# Routes that the gateway answers itself: a keep-alive costs no invocation.
resource "aws_apigatewayv2_integration" "mock" {
  for_each = toset(local.mock_keys)

  api_id            = aws_apigatewayv2_api.websocket.id
  integration_type  = "MOCK"
  request_templates = { "$default" = local.routes[each.key].requestTemplate }
}

resource "aws_apigatewayv2_integration_response" "mock" {
  for_each = toset(local.mock_keys)

  api_id         = aws_apigatewayv2_api.websocket.id
  integration_id = aws_apigatewayv2_integration.mock[each.key].id
  # The status that the request's template gives; a MOCK integration has no other way to answer.
  integration_response_key = "/${jsondecode(local.routes[each.key].requestTemplate).statusCode}/"
  response_templates       = { "$default" = local.routes[each.key].responseTemplate }
}

resource "aws_apigatewayv2_route" "route" {
  for_each = local.routes

  api_id             = aws_apigatewayv2_api.websocket.id
  route_key          = each.key
  target             = "integrations/${try(aws_apigatewayv2_integration.function[each.key], aws_apigatewayv2_integration.mock[each.key]).id}"
  authorization_type = try(each.value.authorized, false) ? "CUSTOM" : "NONE"
  authorizer_id      = try(each.value.authorized, false) ? aws_apigatewayv2_authorizer.authorizer.id : null
  # Without it an answer goes nowhere.
  route_response_selection_expression = contains(local.mock_keys, each.key) ? "$default" : null
}

resource "aws_apigatewayv2_route_response" "mock" {
  for_each = toset(local.mock_keys)

  api_id             = aws_apigatewayv2_api.websocket.id
  route_id           = aws_apigatewayv2_route.route[each.key].id
  route_response_key = "$default"
}

resource "aws_lambda_permission" "route" {
  for_each = toset(local.lambda_keys)

  function_name = aws_lambda_function.function[local.routes[each.key].function].function_name
  statement_id  = "route-${trimprefix(each.key, "$")}"
  action        = "lambda:InvokeFunction"
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.websocket.execution_arn}/${var.stage}/${each.key}"
}

resource "aws_lambda_permission" "authorizer" {
  function_name = aws_lambda_function.function[local.manifest.webSocket.authorizer].function_name
  statement_id  = "authorizer"
  action        = "lambda:InvokeFunction"
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.websocket.execution_arn}/authorizers/${aws_apigatewayv2_authorizer.authorizer.id}"
}
