locals {
  function_names = { for name in keys(local.manifest.functions) : name => aws_lambda_function.function[name].function_name }
  http_function  = local.function_names[local.http_name]
  api_metric     = ["ApiId", aws_apigatewayv2_api.websocket.id, "Stage", var.stage]
  table_metric   = ["TableName", aws_dynamodb_table.registry.name]

  # What an operator asks, in the order in which they ask it. Each metric: namespace, name, dimensions, options.
  graphs = [
    {
      title = "Are callers served? Requests and failures"
      stat  = "Sum"
      metrics = {
        "rest-api" = [
          for metric in ["Count", "4XXError", "5XXError"] :
          ["AWS/ApiGateway", metric, "ApiName", "${local.prefix}-http", "Stage", var.stage, {}]
        ]
        "function-url" = [
          for metric in ["UrlRequestCount", "Url4xxCount", "Url5xxCount"] :
          ["AWS/Lambda", metric, "FunctionName", local.http_function, {}]
        ]
      }[var.http.door]
    },
    {
      title   = "How long does a pull take? The http function, p50 and p99 in ms"
      stat    = "p99"
      metrics = [for stat in ["p50", "p99"] : ["AWS/Lambda", "Duration", "FunctionName", local.http_function, { stat = stat }]]
    },
    {
      title = "Are agents there? New links and messages"
      stat  = "Sum"
      metrics = [
        concat(["AWS/ApiGateway", "ConnectCount"], local.api_metric, [{}]),
        concat(["AWS/ApiGateway", "MessageCount"], local.api_metric, [{}]),
        [local.metric_namespace, "GoneConnections", {}],
      ]
    },
    {
      title = "Are their messages taken? Errors, and latency (p99, ms)"
      stat  = "Sum"
      metrics = [
        concat(["AWS/ApiGateway", "ClientError"], local.api_metric, [{}]),
        concat(["AWS/ApiGateway", "IntegrationError"], local.api_metric, [{}]),
        concat(["AWS/ApiGateway", "ExecutionError"], local.api_metric, [{}]),
        concat(["AWS/ApiGateway", "IntegrationLatency"], local.api_metric, [{ stat = "p99", yAxis = "right" }]),
      ]
    },
    {
      title   = "Do functions fail?"
      stat    = "Sum"
      metrics = [for name, function in local.function_names : ["AWS/Lambda", "Errors", "FunctionName", function, { label = name }]]
    },
    {
      title   = "Is there room? Throttled invocations"
      stat    = "Sum"
      metrics = [for name, function in local.function_names : ["AWS/Lambda", "Throttles", "FunctionName", function, { label = name }]]
    },
    {
      title   = "Is there room? Invocations at once"
      stat    = "Maximum"
      metrics = [for name, function in local.function_names : ["AWS/Lambda", "ConcurrentExecutions", "FunctionName", function, { label = name }]]
    },
    {
      title = "What does the registry cost? Units read and written, and throttled"
      stat  = "Sum"
      metrics = [
        for metric in ["ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits", "ReadThrottleEvents", "WriteThrottleEvents"] :
        concat(["AWS/DynamoDB", metric], local.table_metric, [{}])
      ]
    },
  ]
}

resource "aws_cloudwatch_dashboard" "relay" {
  dashboard_name = local.prefix
  dashboard_body = jsonencode({
    widgets = [
      for index, graph in local.graphs : {
        type   = "metric"
        x      = 12 * (index % 2)
        y      = 6 * floor(index / 2)
        width  = 12
        height = 6
        properties = {
          title   = graph.title
          region  = data.aws_region.current.region
          view    = "timeSeries"
          period  = 300
          stat    = graph.stat
          metrics = graph.metrics
        }
      }
    ]
  })
}
