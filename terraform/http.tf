locals {
  http_name   = local.manifest.http.function
  by_rest_api = var.http.door == "rest-api"

  http_url = (
    !local.by_rest_api ? trimsuffix(aws_lambda_function_url.http[0].function_url, "/") :
    var.http.domain != null ? "https://${var.http.domain.name}" :
    aws_api_gateway_stage.http[0].invoke_url
  )
}

# Open to the internet on purpose: the relay knows its callers by their keys, and answers 404 to all others.
resource "aws_lambda_function_url" "http" {
  count = local.by_rest_api ? 0 : 1

  function_name      = aws_lambda_function.function[local.http_name].function_name
  authorization_type = "NONE"
  invoke_mode        = local.manifest.http.invokeMode
}

# A function URL needs both permissions; the second lets nobody invoke the function in any other way.
resource "aws_lambda_permission" "url" {
  count = local.by_rest_api ? 0 : 1

  function_name          = aws_lambda_function.function[local.http_name].function_name
  statement_id           = "url"
  action                 = "lambda:InvokeFunctionUrl"
  principal              = "*"
  function_url_auth_type = "NONE"
}

resource "aws_lambda_permission" "url_invoke" {
  count = local.by_rest_api ? 0 : 1

  function_name            = aws_lambda_function.function[local.http_name].function_name
  statement_id             = "url-invoke"
  action                   = "lambda:InvokeFunction"
  principal                = "*"
  invoked_via_function_url = true
}
