output "name" {
  description = "The parameter's name, which is no secret."
  value       = aws_ssm_parameter.secret.name
}

output "arn" {
  description = "The parameter's ARN."
  value       = aws_ssm_parameter.secret.arn
}
