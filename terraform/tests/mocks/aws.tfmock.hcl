# Shapes that AWS's provider would accept where an ARN or the like is expected.

mock_data "aws_partition" {
  defaults = {
    partition  = "aws"
    dns_suffix = "amazonaws.com"
  }
}

mock_data "aws_region" {
  defaults = {
    region = "eu-central-1"
  }
}

mock_resource "aws_apigatewayv2_api" {
  defaults = {
    id            = "abcde12345"
    api_endpoint  = "wss://abcde12345.execute-api.eu-central-1.amazonaws.com"
    execution_arn = "arn:aws:execute-api:eu-central-1:123456789012:abcde12345"
  }
}

mock_resource "aws_apigatewayv2_authorizer" {
  defaults = { id = "auth01" }
}

mock_resource "aws_apigatewayv2_domain_name" {
  defaults = { id = "link.example.com" }
}

mock_resource "aws_api_gateway_rest_api" {
  defaults = { execution_arn = "arn:aws:execute-api:eu-central-1:123456789012:rest123456" }
}

mock_resource "aws_api_gateway_stage" {
  defaults = {
    arn        = "arn:aws:apigateway:eu-central-1::/restapis/rest123456/stages/production"
    invoke_url = "https://rest123456.execute-api.eu-central-1.amazonaws.com/production"
  }
}

mock_resource "aws_lambda_function" {
  defaults = {
    arn                           = "arn:aws:lambda:eu-central-1:123456789012:function:mock"
    invoke_arn                    = "arn:aws:apigateway:eu-central-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-central-1:123456789012:function:mock/invocations"
    response_streaming_invoke_arn = "arn:aws:apigateway:eu-central-1:lambda:path/2021-11-15/functions/arn:aws:lambda:eu-central-1:123456789012:function:mock/response-streaming-invocations"
  }
}

mock_resource "aws_lambda_function_url" {
  defaults = { function_url = "https://url123.lambda-url.eu-central-1.on.aws/" }
}

mock_resource "aws_iam_role" {
  defaults = { arn = "arn:aws:iam::123456789012:role/mock" }
}

mock_resource "aws_cloudwatch_log_group" {
  defaults = { arn = "arn:aws:logs:eu-central-1:123456789012:log-group:mock" }
}

mock_resource "aws_cloudwatch_event_rule" {
  defaults = { arn = "arn:aws:events:eu-central-1:123456789012:rule/mock" }
}

mock_resource "aws_dynamodb_table" {
  defaults = { arn = "arn:aws:dynamodb:eu-central-1:123456789012:table/mock" }
}

mock_resource "aws_s3_bucket" {
  defaults = {
    id  = "mock-bucket"
    arn = "arn:aws:s3:::mock-bucket"
  }
}

mock_resource "aws_acm_certificate" {
  defaults = {
    arn = "arn:aws:acm:eu-central-1:123456789012:certificate/made"
    domain_validation_options = [{
      domain_name           = "link.example.com"
      resource_record_name  = "_proof.link.example.com."
      resource_record_type  = "CNAME"
      resource_record_value = "_proof.acm-validations.aws."
    }]
  }
}
