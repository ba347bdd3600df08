# Links that ended, keys that expired, objects that nobody fetched.
resource "aws_cloudwatch_event_rule" "sweep" {
  name                = "${local.prefix}-sweep"
  description         = "Runs ${local.prefix}-${local.manifest.schedule.function}."
  schedule_expression = local.manifest.schedule.expression
  tags                = local.tags
}

resource "aws_cloudwatch_event_target" "sweep" {
  rule = aws_cloudwatch_event_rule.sweep.name
  arn  = aws_lambda_function.function[local.manifest.schedule.function].arn

  # The next run does what this one could not.
  retry_policy {
    maximum_event_age_in_seconds = 300
    maximum_retry_attempts       = 1
  }
}

resource "aws_lambda_permission" "sweep" {
  function_name = aws_lambda_function.function[local.manifest.schedule.function].function_name
  statement_id  = "schedule"
  action        = "lambda:InvokeFunction"
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.sweep.arn
}
