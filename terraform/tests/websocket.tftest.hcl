mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  lambda_folder = "./tests/zips"
}

run "by_default" {
  command = apply

  module {
    source = "./tests/relay"
  }

  assert {
    condition     = aws_apigatewayv2_api.websocket.protocol_type == "WEBSOCKET" && aws_apigatewayv2_api.websocket.route_selection_expression == "$request.body.action"
    error_message = "messages are routed by their action"
  }

  assert {
    condition     = toset(keys(aws_apigatewayv2_route.route)) == toset(["$connect", "$default", "$disconnect", "keep-alive"])
    error_message = "the routes are the manifest's"
  }

  assert {
    condition     = { for key, route in aws_apigatewayv2_route.route : key => route.authorization_type } == { "$connect" = "CUSTOM", "$default" = "NONE", "$disconnect" = "NONE", "keep-alive" = "NONE" }
    error_message = "the authorizer is asked at $connect, and nowhere else: the gateway refuses it there"
  }

  assert {
    condition     = aws_apigatewayv2_route.route["$connect"].authorizer_id == aws_apigatewayv2_authorizer.authorizer.id
    error_message = "$connect asks our authorizer"
  }

  assert {
    condition     = alltrue([for key, route in aws_apigatewayv2_route.route : route.authorizer_id == null if key != "$connect"])
    error_message = "no other route has an authorizer"
  }

  assert {
    condition     = aws_apigatewayv2_authorizer.authorizer.authorizer_type == "REQUEST" && aws_apigatewayv2_authorizer.authorizer.identity_sources == toset(["route.request.header.Authorization"])
    error_message = "a handshake without Authorization is refused before a function runs"
  }

  assert {
    condition     = aws_apigatewayv2_authorizer.authorizer.authorizer_payload_format_version == null && aws_apigatewayv2_authorizer.authorizer.enable_simple_responses == null
    error_message = "a WebSocket API's authorizer knows neither format 2.0 nor simple responses"
  }

  assert {
    condition     = alltrue([for integration in aws_apigatewayv2_integration.function : integration.integration_type == "AWS_PROXY" && integration.integration_method == "POST" && integration.timeout_milliseconds <= 29000])
    error_message = "functions are proxied, within the gateway's 29 s"
  }

  assert {
    condition     = keys(aws_apigatewayv2_integration.mock) == ["keep-alive"] && aws_apigatewayv2_integration.mock["keep-alive"].integration_type == "MOCK"
    error_message = "the keep-alive costs no invocation"
  }

  assert {
    condition     = aws_apigatewayv2_integration.mock["keep-alive"].request_templates["$default"] == "{\"statusCode\":200}" && aws_apigatewayv2_integration_response.mock["keep-alive"].integration_response_key == "/200/"
    error_message = "the response belongs to the status that the request's template gives"
  }

  assert {
    condition     = jsondecode(aws_apigatewayv2_integration_response.mock["keep-alive"].response_templates["$default"]) == { action = "kept-alive", connectionId = "$context.connectionId" }
    error_message = "the answer tells a reply channel its connection id"
  }

  assert {
    condition     = aws_apigatewayv2_route.route["keep-alive"].route_response_selection_expression == "$default" && aws_apigatewayv2_route_response.mock["keep-alive"].route_response_key == "$default"
    error_message = "without a route response the answer would go nowhere"
  }

  assert {
    condition     = alltrue([for key, route in aws_apigatewayv2_route.route : route.route_response_selection_expression == null if key != "keep-alive"])
    error_message = "what functions return is not sent to agents"
  }

  assert {
    condition     = aws_apigatewayv2_stage.websocket.default_route_settings[0].throttling_rate_limit == 2000 && aws_apigatewayv2_stage.websocket.default_route_settings[0].throttling_burst_limit == 1000
    error_message = "both throttles are set: one that is left out may become 0"
  }

  assert {
    condition     = aws_apigatewayv2_stage.websocket.auto_deploy != true && aws_apigatewayv2_stage.websocket.deployment_id == aws_apigatewayv2_deployment.websocket.id
    error_message = "the stage shows our deployment"
  }

  assert {
    condition     = jsondecode(aws_apigatewayv2_stage.websocket.access_log_settings[0].format).requestId == "$context.requestId"
    error_message = "API Gateway takes no access log without the request's id"
  }

  assert {
    condition     = !can(regex("(?i)query|header|path|token", aws_apigatewayv2_stage.websocket.access_log_settings[0].format))
    error_message = "nothing of the access log can hold a token"
  }

  assert {
    condition     = aws_apigatewayv2_stage.websocket.default_route_settings[0].data_trace_enabled == false && aws_apigatewayv2_stage.websocket.default_route_settings[0].logging_level == "OFF"
    error_message = "bodies are not logged"
  }

  assert {
    condition = toset(keys(aws_apigatewayv2_deployment.websocket.triggers)) == toset(concat(
      ["selection", "authorizer"],
      [for key in keys(local.manifest.webSocket.routes) : "route ${key}"],
      [for key in keys(local.manifest.webSocket.routes) : "integration ${key}"],
    ))
    error_message = "every route and every integration is a trigger"
  }

  assert {
    condition = alltrue([
      for key, route in aws_apigatewayv2_route.route : aws_apigatewayv2_deployment.websocket.triggers["route ${key}"] == jsonencode({
        target             = route.target
        authorization_type = route.authorization_type
        authorizer_id      = route.authorizer_id
        response           = route.route_response_selection_expression
      })
    ])
    error_message = "a route's trigger holds all that a deployment is a picture of"
  }

  assert {
    condition     = jsondecode(aws_apigatewayv2_deployment.websocket.triggers["integration keep-alive"]).response["$default"] == local.manifest.webSocket.routes["keep-alive"].responseTemplate
    error_message = "a changed template is a new deployment"
  }

  assert {
    condition     = jsondecode(aws_apigatewayv2_deployment.websocket.triggers["authorizer"]).identity_sources == ["route.request.header.Authorization"]
    error_message = "changed identity sources are a new deployment"
  }
}

run "token_in_query_and_own_throttles" {
  command = apply

  module {
    source = "./tests/relay"
  }

  variables {
    token_in_query = true
    throttle       = { rate = 50, burst = 20 }
    access_log     = false
  }

  assert {
    condition     = aws_apigatewayv2_authorizer.authorizer.identity_sources == null
    error_message = "every identity source is required, so a token in the query allows none"
  }

  assert {
    condition     = jsondecode(aws_apigatewayv2_deployment.websocket.triggers["authorizer"]).identity_sources == null
    error_message = "the change is deployed"
  }

  assert {
    condition     = aws_lambda_function.function["authorizer"].environment[0].variables["PULLWIRE_TOKEN_IN_QUERY"] == "true"
    error_message = "the authorizer is told"
  }

  assert {
    condition     = aws_apigatewayv2_stage.websocket.default_route_settings[0].throttling_rate_limit == 50 && aws_apigatewayv2_stage.websocket.default_route_settings[0].throttling_burst_limit == 20
    error_message = "throttles are the caller's"
  }

  assert {
    condition     = length(aws_apigatewayv2_stage.websocket.access_log_settings) == 0 && length(aws_cloudwatch_log_group.access) == 0
    error_message = "the access log can be left out, where the account has no logging role"
  }
}
