locals {
  # Those that post to connections, and so are told that one is gone.
  posters          = local.told_of["PULLWIRE_CONNECTIONS_URL"]
  metric_namespace = "Pullwire/${local.prefix}"
  stage_dimensions = { ApiId = aws_apigatewayv2_api.websocket.id, Stage = var.stage }

  function_alarms = merge([
    for name in keys(local.manifest.functions) : {
      "${name}-errors" = {
        description = "The function ${name} failed. Its log group says why: docs/aws.md, \"At 3 a.m.\"."
        namespace   = "AWS/Lambda"
        metric      = "Errors"
        dimensions  = { FunctionName = aws_lambda_function.function[name].function_name }
        threshold   = var.alarms.errors
      }
      "${name}-throttles" = {
        description = "The function ${name} was refused for want of concurrency: raise the account's quota, or its reserve."
        namespace   = "AWS/Lambda"
        metric      = "Throttles"
        dimensions  = { FunctionName = aws_lambda_function.function[name].function_name }
        threshold   = 1
      }
    }
  ]...)

  service_alarms = {
    "websocket-integration-errors" = {
      description = "API Gateway could not get an answer of a function for agents' messages."
      namespace   = "AWS/ApiGateway"
      metric      = "IntegrationError"
      dimensions  = local.stage_dimensions
      threshold   = var.alarms.errors
    }
    "table-read-throttles" = {
      description = "The table refused reads: one device or one key is asked for too often."
      namespace   = "AWS/DynamoDB"
      metric      = "ReadThrottleEvents"
      dimensions  = { TableName = aws_dynamodb_table.registry.name }
      threshold   = 1
    }
    "table-write-throttles" = {
      description = "The table refused writes: many agents dial at once, or one dials all the time."
      namespace   = "AWS/DynamoDB"
      metric      = "WriteThrottleEvents"
      dimensions  = { TableName = aws_dynamodb_table.registry.name }
      threshold   = 1
    }
  }

  alarms = var.alarms.enabled ? merge(local.function_alarms, local.service_alarms) : {}
}

resource "aws_cloudwatch_metric_alarm" "sum" {
  for_each = local.alarms

  alarm_name          = "${local.prefix}-${each.key}"
  alarm_description   = each.value.description
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = each.value.threshold
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarms.topic_arns
  ok_actions          = var.alarms.topic_arns
  tags                = local.tags
}

resource "aws_cloudwatch_metric_alarm" "integration_latency" {
  count = var.alarms.enabled ? 1 : 0

  alarm_name          = "${local.prefix}-integration-latency"
  alarm_description   = "Agents' handshakes and messages are slow to be taken (p99)."
  namespace           = "AWS/ApiGateway"
  metric_name         = "IntegrationLatency"
  dimensions          = local.stage_dimensions
  extended_statistic  = "p99"
  period              = 300
  evaluation_periods  = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.alarms.integration_latency_ms
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarms.topic_arns
  ok_actions          = var.alarms.topic_arns
  tags                = local.tags
}

# API Gateway counts no posts that met a gone connection (410), so the functions' own lines about them are counted.
resource "aws_cloudwatch_log_metric_filter" "gone" {
  for_each = toset(local.posters)

  name           = "${local.prefix}-${each.key}-gone"
  log_group_name = aws_cloudwatch_log_group.function[each.key].name
  pattern        = "{ $.code = \"gone\" }"

  metric_transformation {
    namespace     = local.metric_namespace
    name          = "GoneConnections"
    value         = "1"
    default_value = "0"
    unit          = "Count"
  }
}

resource "aws_cloudwatch_metric_alarm" "gone" {
  count = var.alarms.enabled ? 1 : 0

  alarm_name          = "${local.prefix}-gone-connections"
  alarm_description   = "Many posts met a connection that was gone: agents lose their links, or the registry is behind."
  evaluation_periods  = 2
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.alarms.gone_percent
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarms.topic_arns
  ok_actions          = var.alarms.topic_arns
  tags                = local.tags

  metric_query {
    id = "percent"
    # A handful is no rate: agents come and go.
    expression  = "IF(gone >= 10, 100 * gone / messages, 0)"
    label       = "Gone connections in percent of messages"
    return_data = true
  }

  metric_query {
    id = "gone"

    metric {
      namespace   = local.metric_namespace
      metric_name = "GoneConnections"
      stat        = "Sum"
      period      = 300
    }
  }

  metric_query {
    id = "messages"

    metric {
      namespace   = "AWS/ApiGateway"
      metric_name = "MessageCount"
      dimensions  = local.stage_dimensions
      stat        = "Sum"
      period      = 300
    }
  }
}
