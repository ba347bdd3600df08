output "websocket_url" {
  description = "Where agents dial: `relay` in their configuration."
  value       = local.link_url

  # An address is of use when everything behind it is there.
  depends_on = [aws_apigatewayv2_stage.websocket, aws_apigatewayv2_api_mapping.websocket, aws_route53_record.domain]
}

output "http_url" {
  description = "Where callers send their requests."
  value       = local.http_url

  depends_on = [aws_lambda_permission.url, aws_lambda_permission.url_invoke, aws_lambda_permission.rest_api, aws_api_gateway_base_path_mapping.http, aws_route53_record.domain]
}

output "connections_url" {
  description = "The `@connections` endpoint that the functions post to: `pullwire-relay device revoke` and `device rotate` with `--connections-url`."
  value       = local.connections_url
}

output "table_name" {
  description = "The registry's table: `pullwire-relay --table`."
  value       = aws_dynamodb_table.registry.name
}

output "region" {
  description = "The region of all of it: `pullwire-relay --region`."
  value       = data.aws_region.current.region
}

output "bucket_name" {
  description = "The bucket of large bodies on their way."
  value       = aws_s3_bucket.objects.id
}

output "log_groups" {
  description = "Log groups by function, and `access` for the WebSocket API's access log where there is one."
  value = merge(
    { for name, group in aws_cloudwatch_log_group.function : name => group.name },
    { for group in aws_cloudwatch_log_group.access : "access" => group.name },
  )
}

output "function_arns" {
  description = "ARNs of the functions by name."
  value       = { for name, function in aws_lambda_function.function : name => function.arn }
}

output "secret_parameter_name" {
  description = "Name of the SSM parameter with the functions' secret. The value is in no state."
  value       = module.secret.name
}

output "domain_targets" {
  description = "Where own names have to point (CNAME or alias), for those whose record is not made here."
  value       = { for use, domain in local.domains : domain.name => local.domain_target[use].name }
}

output "http_stage_arn" {
  description = "The REST API's stage, to associate a WAF web ACL with; null behind a function URL."
  value       = one(aws_api_gateway_stage.http[*].arn)
}

output "dashboard_name" {
  description = "The CloudWatch dashboard."
  value       = aws_cloudwatch_dashboard.relay.dashboard_name
}
