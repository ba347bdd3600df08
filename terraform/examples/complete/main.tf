terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.29"
    }
  }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = { CostCenter = "plants" }
  }
}

variable "region" {
  description = "Where all of it runs."
  type        = string
  default     = "eu-central-1"
}

variable "zone_name" {
  description = "A Route 53 zone of this account; agents dial link.<zone>, callers ask relay.<zone>."
  type        = string
}

variable "on_call" {
  description = "Who is mailed when an alarm goes off."
  type        = string
}

data "aws_route53_zone" "zone" {
  name = var.zone_name
}

data "aws_caller_identity" "current" {}

# One key for all data at rest. CloudWatch uses it in its own name, the functions by their roles.
resource "aws_kms_key" "relay" {
  description         = "pullwire: registry, objects, secret, logs."
  enable_key_rotation = true
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "Account"
        Effect    = "Allow"
        Principal = { AWS = "arn:aws:iam::${data.aws_caller_identity.current.account_id}:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
      {
        Sid       = "Logs"
        Effect    = "Allow"
        Principal = { Service = "logs.${var.region}.amazonaws.com" }
        Action    = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
        Resource  = "*"
        Condition = { ArnLike = { "kms:EncryptionContext:aws:logs:arn" = "arn:aws:logs:${var.region}:${data.aws_caller_identity.current.account_id}:*" } }
      },
    ]
  })
}

resource "aws_sns_topic" "alarms" {
  name = "pullwire-alarms"
}

resource "aws_sns_topic_subscription" "on_call" {
  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = var.on_call
}

module "relay" {
  source = "../.."

  name                 = "pullwire"
  stage                = "production"
  account_logging_role = true

  domain = {
    name    = "link.${var.zone_name}"
    zone_id = data.aws_route53_zone.zone.zone_id
  }
  http = {
    door = "rest-api"
    domain = {
      name    = "relay.${var.zone_name}"
      zone_id = data.aws_route53_zone.zone.zone_id
    }
  }

  throttle             = { rate = 5000, burst = 2500 }
  reserved_concurrency = { http = 400, message = 400 }
  deadline             = { default_seconds = 20, max_seconds = 300 }
  alarms               = { topic_arns = [aws_sns_topic.alarms.arn], gone_percent = 5 }
  kms_key_arn          = aws_kms_key.relay.arn
  log_retention_days   = 90
  tags                 = { Team = "plants" }

  # Whoever has the group `ops` there pulls without a key of ours.
  issuers = [{
    issuer   = "https://login.example.com"
    audience = "pullwire"
    callers = {
      name   = "email"
      grants = [{ when = { groups = "ops" }, devices = ["plant-*"], sources = ["*"], methods = ["GET", "HEAD"] }]
    }
  }]
}

# What the REST API is chosen for: callers from one address at most 2,000 requests in 5 minutes.
resource "aws_wafv2_web_acl" "callers" {
  name  = "pullwire-callers"
  scope = "REGIONAL"

  default_action {
    allow {}
  }

  rule {
    name     = "rate"
    priority = 0

    action {
      block {}
    }

    statement {
      rate_based_statement {
        limit              = 2000
        aggregate_key_type = "IP"
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "pullwire-callers-rate"
      sampled_requests_enabled   = false
    }
  }

  visibility_config {
    cloudwatch_metrics_enabled = true
    metric_name                = "pullwire-callers"
    sampled_requests_enabled   = false
  }
}

resource "aws_wafv2_web_acl_association" "callers" {
  resource_arn = module.relay.http_stage_arn
  web_acl_arn  = aws_wafv2_web_acl.callers.arn
}

output "relay" {
  description = "Everything that somebody may ask for."
  value       = module.relay
}
