terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.29"
    }
  }
}

# The region is taken from AWS_REGION or from the profile.
provider "aws" {}

variable "account_logging_role" {
  description = "True for the first API Gateway in this account and region that logs."
  type        = bool
  default     = false
}

variable "deletion_protection" {
  description = "Set it to false and apply before all of it is removed."
  type        = bool
  default     = true
}

module "relay" {
  source = "../.."

  account_logging_role = var.account_logging_role
  deletion_protection  = var.deletion_protection
}

output "websocket_url" {
  description = "For agents."
  value       = module.relay.websocket_url
}

output "http_url" {
  description = "For callers."
  value       = module.relay.http_url
}

output "table_name" {
  description = "For the operator's commands."
  value       = module.relay.table_name
}

output "connections_url" {
  description = "For the operator's commands that end links: `--connections-url`."
  value       = module.relay.connections_url
}

output "region" {
  description = "For the operator's commands."
  value       = module.relay.region
}
