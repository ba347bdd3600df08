mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  lambda_folder = "./tests/zips"
}

run "by_function_url" {
  command = apply

  module {
    source = "./tests/relay"
  }

  assert {
    condition     = aws_lambda_function_url.http[0].invoke_mode == "RESPONSE_STREAM" && aws_lambda_function_url.http[0].authorization_type == "NONE"
    error_message = "the door streams, and the relay itself knows its callers"
  }

  assert {
    condition     = aws_lambda_function_url.http[0].function_name == "pullwire-production-http" && length(aws_lambda_function_url.http) == 1
    error_message = "only the http function has a URL"
  }

  # The two permissions that let everybody in, and no other: they hold for the URL alone.
  assert {
    condition     = aws_lambda_permission.url[0].principal == "*" && aws_lambda_permission.url[0].action == "lambda:InvokeFunctionUrl" && aws_lambda_permission.url[0].function_url_auth_type == "NONE"
    error_message = "the URL may be called"
  }

  assert {
    condition     = aws_lambda_permission.url_invoke[0].principal == "*" && aws_lambda_permission.url_invoke[0].action == "lambda:InvokeFunction" && aws_lambda_permission.url_invoke[0].invoked_via_function_url
    error_message = "and then the function may be invoked, through its URL only"
  }

  assert {
    condition     = output.http_url == "https://url123.lambda-url.eu-central-1.on.aws"
    error_message = "callers are told the URL"
  }

  assert {
    condition     = length(aws_api_gateway_rest_api.http) == 0 && output.http_stage_arn == null
    error_message = "there is one door"
  }
}

run "by_rest_api" {
  command = apply

  module {
    source = "./tests/relay"
  }

  variables {
    http = { door = "rest-api" }
  }

  assert {
    condition     = aws_api_gateway_integration.http[0].response_transfer_mode == "STREAM" && aws_api_gateway_integration.http[0].uri == aws_lambda_function.function["http"].response_streaming_invoke_arn
    error_message = "the REST API streams too"
  }

  assert {
    condition     = aws_api_gateway_integration.http[0].timeout_milliseconds == 900000
    error_message = "it waits as long as the function may run"
  }

  assert {
    condition     = aws_api_gateway_resource.path[0].path_part == "{path+}" && aws_api_gateway_method.any[0].http_method == "ANY"
    error_message = "every path and method reaches the function"
  }

  assert {
    condition     = length(aws_lambda_function_url.http) == 0 && length(aws_lambda_permission.url) == 0 && length(aws_lambda_permission.url_invoke) == 0
    error_message = "there is no second door beside a WAF"
  }

  assert {
    condition     = aws_lambda_permission.rest_api[0].source_arn == "arn:aws:execute-api:eu-central-1:123456789012:rest123456/production/*/*"
    error_message = "the function answers to our REST API's stage only"
  }

  assert {
    condition     = aws_api_gateway_method_settings.http[0].settings[0].throttling_rate_limit == 2000 && aws_api_gateway_method_settings.http[0].settings[0].throttling_burst_limit == 1000
    error_message = "both throttles are set"
  }

  assert {
    condition     = output.http_url == "https://rest123456.execute-api.eu-central-1.amazonaws.com/production" && output.http_stage_arn == aws_api_gateway_stage.http[0].arn
    error_message = "callers are told the stage's URL, and a WAF can be associated"
  }

  assert {
    condition     = toset(keys(aws_api_gateway_deployment.http[0].triggers)) == toset(["path", "method", "media_types", "integration"])
    error_message = "a change of any of it is deployed"
  }
}
