resource "aws_cloudwatch_log_group" "function" {
  for_each = local.manifest.functions

  name              = "/aws/lambda/${local.prefix}-${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = local.tags
}

resource "aws_cloudwatch_log_group" "access" {
  count = var.access_log ? 1 : 0

  name              = "/aws/apigateway/${local.prefix}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = local.tags
}

# WebSocket APIs and REST APIs log by a role that is set for the account and region, not for the API.
resource "aws_iam_role" "account_logging" {
  count = var.account_logging_role ? 1 : 0

  name               = "${local.prefix}-${data.aws_region.current.region}-api-logging"
  description        = "API Gateway's logging in this account and region."
  assume_role_policy = local.trust["apigateway.amazonaws.com"]
  tags               = local.tags
}

# What it may do is AWS's own list for this purpose; it wants all log groups, for API Gateway checks for just that.
resource "aws_iam_role_policy_attachment" "account_logging" {
  count = var.account_logging_role ? 1 : 0

  role       = aws_iam_role.account_logging[0].name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
}

resource "aws_api_gateway_account" "logging" {
  count = var.account_logging_role ? 1 : 0

  cloudwatch_role_arn = aws_iam_role.account_logging[0].arn

  depends_on = [aws_iam_role_policy_attachment.account_logging]
}
