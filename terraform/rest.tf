# The other door, where an own name or a WAF is wanted: the same function, streaming too, behind a REST API.
resource "aws_api_gateway_rest_api" "http" {
  count = local.by_rest_api ? 1 : 0

  name        = "${local.prefix}-http"
  description = "Callers of ${local.prefix}."
  # Bodies pass as they are.
  binary_media_types = ["*/*"]
  tags               = local.tags

  endpoint_configuration {
    types = ["REGIONAL"]
  }
}

resource "aws_api_gateway_resource" "path" {
  count = local.by_rest_api ? 1 : 0

  rest_api_id = aws_api_gateway_rest_api.http[0].id
  parent_id   = aws_api_gateway_rest_api.http[0].root_resource_id
  path_part   = "{path+}"
}

# Open on purpose, as the function URL is.
resource "aws_api_gateway_method" "any" {
  count = local.by_rest_api ? 1 : 0

  rest_api_id   = aws_api_gateway_rest_api.http[0].id
  resource_id   = aws_api_gateway_resource.path[0].id
  http_method   = "ANY"
  authorization = "NONE"
}

resource "aws_api_gateway_integration" "http" {
  count = local.by_rest_api ? 1 : 0

  rest_api_id             = aws_api_gateway_rest_api.http[0].id
  resource_id             = aws_api_gateway_resource.path[0].id
  http_method             = aws_api_gateway_method.any[0].http_method
  type                    = "AWS_PROXY"
  integration_http_method = "POST"
  uri                     = aws_lambda_function.function[local.http_name].response_streaming_invoke_arn
  response_transfer_mode  = "STREAM"
  timeout_milliseconds    = local.manifest.functions[local.http_name].timeoutSeconds * 1000
}

resource "aws_api_gateway_deployment" "http" {
  count = local.by_rest_api ? 1 : 0

  rest_api_id = aws_api_gateway_rest_api.http[0].id
  triggers = {
    path        = aws_api_gateway_resource.path[0].path_part
    method      = "${aws_api_gateway_method.any[0].http_method} ${aws_api_gateway_method.any[0].authorization}"
    media_types = jsonencode(aws_api_gateway_rest_api.http[0].binary_media_types)
    integration = jsonencode({
      uri      = aws_api_gateway_integration.http[0].uri
      transfer = aws_api_gateway_integration.http[0].response_transfer_mode
      timeout  = aws_api_gateway_integration.http[0].timeout_milliseconds
    })
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_api_gateway_stage" "http" {
  count = local.by_rest_api ? 1 : 0

  rest_api_id   = aws_api_gateway_rest_api.http[0].id
  deployment_id = aws_api_gateway_deployment.http[0].id
  stage_name    = var.stage
  tags          = local.tags
}

resource "aws_api_gateway_method_settings" "http" {
  count = local.by_rest_api ? 1 : 0

  rest_api_id = aws_api_gateway_rest_api.http[0].id
  stage_name  = aws_api_gateway_stage.http[0].stage_name
  method_path = "*/*"

  settings {
    throttling_rate_limit  = var.throttle.rate
    throttling_burst_limit = var.throttle.burst
    metrics_enabled        = true
    logging_level          = "OFF"
    data_trace_enabled     = false
  }
}

resource "aws_lambda_permission" "rest_api" {
  count = local.by_rest_api ? 1 : 0

  function_name = aws_lambda_function.function[local.http_name].function_name
  statement_id  = "rest-api"
  action        = "lambda:InvokeFunction"
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_api_gateway_rest_api.http[0].execution_arn}/${var.stage}/*/*" # any method, any path
}
