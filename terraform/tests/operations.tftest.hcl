mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  lambda_folder = "./tests/zips"
}

run "with_a_topic" {
  command = apply

  module {
    source = "./tests/relay"
  }

  variables {
    alarms = { topic_arns = ["arn:aws:sns:eu-central-1:123456789012:on-call"] }
  }

  assert {
    condition = alltrue([
      for name in keys(local.manifest.functions) :
      aws_cloudwatch_metric_alarm.sum["${name}-errors"].metric_name == "Errors" && aws_cloudwatch_metric_alarm.sum["${name}-throttles"].metric_name == "Throttles"
    ])
    error_message = "every function that fails or is throttled is heard of"
  }

  assert {
    condition     = alltrue([for name in ["table-read-throttles", "table-write-throttles", "websocket-integration-errors"] : contains(keys(aws_cloudwatch_metric_alarm.sum), name)])
    error_message = "a throttled table and failing integrations are heard of"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.integration_latency[0].extended_statistic == "p99" && aws_cloudwatch_metric_alarm.integration_latency[0].metric_name == "IntegrationLatency"
    error_message = "slow integrations are heard of"
  }

  assert {
    condition     = toset(keys(aws_cloudwatch_log_metric_filter.gone)) == toset(["http", "message"])
    error_message = "gone connections are counted where posts are made"
  }

  assert {
    condition = alltrue([
      for alarm in concat(values(aws_cloudwatch_metric_alarm.sum), aws_cloudwatch_metric_alarm.integration_latency, aws_cloudwatch_metric_alarm.gone) :
      alarm.alarm_actions == toset(["arn:aws:sns:eu-central-1:123456789012:on-call"]) && alarm.treat_missing_data == "notBreaching" && alarm.alarm_description != ""
    ])
    error_message = "every alarm tells somebody, says what it means, and is silent when nothing happens"
  }

  assert {
    condition     = aws_cloudwatch_event_rule.sweep.schedule_expression == "rate(1 hour)" && aws_cloudwatch_event_target.sweep.arn == aws_lambda_function.function["sweep"].arn
    error_message = "the sweep runs as the manifest says"
  }

  assert {
    condition     = length(jsondecode(aws_cloudwatch_dashboard.relay.dashboard_body).widgets) == 8
    error_message = "the dashboard has a graph for each question"
  }

  assert {
    condition     = alltrue([for widget in jsondecode(aws_cloudwatch_dashboard.relay.dashboard_body).widgets : length(widget.properties.metrics) > 0 && widget.properties.region == "eu-central-1"])
    error_message = "no graph is empty"
  }

  assert {
    condition     = strcontains(aws_cloudwatch_dashboard.relay.dashboard_body, "Url5xxCount")
    error_message = "the graph of callers follows the door"
  }

  assert {
    condition     = toset(keys(output.log_groups)) == toset(concat(keys(local.manifest.functions), ["access"]))
    error_message = "whoever looks for a log finds it"
  }

  assert {
    condition     = output.secret_parameter_name == "/pullwire/production/secret" && output.table_name == "pullwire-production-registry"
    error_message = "the operator is told names"
  }
}

run "without_alarms_and_by_rest_api" {
  command = apply

  module {
    source = "./tests/relay"
  }

  variables {
    alarms = { enabled = false }
    http   = { door = "rest-api" }
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.sum) + length(aws_cloudwatch_metric_alarm.gone) + length(aws_cloudwatch_metric_alarm.integration_latency) == 0
    error_message = "alarms can be switched off"
  }

  assert {
    condition     = strcontains(aws_cloudwatch_dashboard.relay.dashboard_body, "5XXError") && !strcontains(aws_cloudwatch_dashboard.relay.dashboard_body, "Url5xxCount")
    error_message = "the graph of callers follows the door"
  }
}
