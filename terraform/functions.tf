resource "aws_lambda_function" "function" {
  for_each = local.manifest.functions

  function_name = "${local.prefix}-${each.key}"
  # The secret's version is in it because a change of configuration makes new environments, which read the new secret.
  description                    = "pullwire ${each.key}, secret version ${var.secret_version}"
  role                           = aws_iam_role.function[each.key].arn
  filename                       = "${local.lambda_folder}/${each.key}.zip"
  source_code_hash               = filebase64sha256("${local.lambda_folder}/${each.key}.zip")
  handler                        = local.manifest.handler
  runtime                        = local.manifest.runtime
  architectures                  = [local.manifest.architecture]
  memory_size                    = each.value.memoryMb
  timeout                        = each.value.timeoutSeconds
  reserved_concurrent_executions = lookup(var.reserved_concurrency, each.key, -1)
  tags                           = local.tags

  environment {
    variables = { for name in each.value.environment : name => local.environment[name] }
  }

  logging_config {
    log_format = "JSON"
    log_group  = aws_cloudwatch_log_group.function[each.key].name
    # Lambda leaves out lines below its own level: it must not be stricter than ours.
    application_log_level = var.log_level == "silent" ? "FATAL" : upper(var.log_level)
  }

  lifecycle {
    precondition {
      condition     = length(setsubtract(each.value.environment, keys(local.environment))) == 0
      error_message = "The function ${each.key} asks for variables that have no value here: ${join(", ", setsubtract(each.value.environment, keys(local.environment)))}. Add them to local.environment."
    }

    precondition {
      condition     = contains(keys(local.table_actions), each.key)
      error_message = "The function ${each.key} has no permissions here. Add it to local.table_actions."
    }
  }

  # Without its policy a first invocation could not log.
  depends_on = [aws_iam_role_policy.function]
}
