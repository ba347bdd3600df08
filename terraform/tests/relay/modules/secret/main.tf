# Stands in for modules/secret in mocked tests: validate refuses any ephemeral resource of a mocked provider in
# Terraform 1.11, be its module overridden or not. Everything else in tests/relay is a link to the module itself.
output "name" {
  value = var.name
}

output "arn" {
  value = "arn:aws:ssm:eu-central-1:123456789012:parameter${var.name}"
}
