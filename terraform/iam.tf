locals {
  trust = {
    for service in ["apigateway.amazonaws.com", "lambda.amazonaws.com"] : service => jsonencode({
      Version = "2012-10-17"
      Statement = [{
        Effect    = "Allow"
        Action    = "sts:AssumeRole"
        Principal = { Service = service }
      }]
    })
  }

  # What each function does with the table; one that is missing here fails the plan (functions.tf).
  table_actions = {
    authorizer = ["Query"]
    connect    = ["GetItem", "PutItem", "Query", "UpdateItem"]
    disconnect = ["UpdateItem"]
    http       = ["BatchGetItem", "DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"]
    message    = ["BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"]
    sweep      = ["BatchGetItem", "BatchWriteItem", "DeleteItem", "GetItem", "Query"]
  }

  # Only these list devices.
  index_readers = ["http", "sweep"]

  # What each function does with objects on their way, below the manifest's other prefixes. Starting, filling and completing a
  # multipart upload are all PutObject.
  object_actions = {
    http    = ["AbortMultipartUpload", "DeleteObject", "GetObject", "PutObject"]
    message = ["AbortMultipartUpload", "DeleteObject", "GetObject", "PutObject"]
    sweep   = ["AbortMultipartUpload", "DeleteObject"]
  }

  # And what with bodies of readings, which the bucket's own rule removes in the end.
  reading_actions = {
    http    = ["GetObject"]
    message = ["DeleteObject", "PutObject"]
    sweep   = ["DeleteObject"]
  }

  # Listing also makes S3 answer 404 for an object that is not there, in place of 403.
  bucket_actions = {
    http    = ["ListBucket"]
    message = ["ListBucket"]
    sweep   = ["ListBucket", "ListBucketMultipartUploads"]
  }

  transit_arns = [
    for name, prefix in local.manifest.bucket.prefixes : "${aws_s3_bucket.objects.arn}/${prefix}*" if name != "readings"
  ]

  # An own key is used on a function's behalf by these services, never by the function itself.
  key_services = {
    for name in keys(local.manifest.functions) : name => [
      for service, functions in {
        dynamodb = local.told_of["PULLWIRE_TABLE"]
        s3       = local.told_of["PULLWIRE_BUCKET"]
        ssm      = local.told_of["PULLWIRE_SECRET"]
      } : "${service}.${data.aws_region.current.region}.${data.aws_partition.current.dns_suffix}" if contains(functions, name)
    ]
  }

  # Every permission that a function can have, and who has it.
  permissions = {
    for name in keys(local.manifest.functions) : name => [
      {
        sid       = "Log"
        allowed   = true
        actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        resources = ["${aws_cloudwatch_log_group.function[name].arn}:*"] # its streams have names that Lambda chooses
        condition = null
      },
      {
        sid       = "Table"
        allowed   = contains(local.told_of["PULLWIRE_TABLE"], name)
        actions   = [for action in try(local.table_actions[name], []) : "dynamodb:${action}"]
        resources = [aws_dynamodb_table.registry.arn]
        condition = null
      },
      {
        sid       = "List"
        allowed   = contains(local.index_readers, name)
        actions   = ["dynamodb:Query"]
        resources = ["${aws_dynamodb_table.registry.arn}/index/${local.manifest.table.listIndex.name}"]
        condition = null
      },
      {
        sid       = "Secret"
        allowed   = contains(local.told_of["PULLWIRE_SECRET"], name)
        actions   = ["ssm:GetParameter"]
        resources = [module.secret.arn]
        condition = null
      },
      {
        sid       = "Connections"
        allowed   = contains(local.told_of["PULLWIRE_CONNECTIONS_URL"], name)
        actions   = ["execute-api:ManageConnections"]
        resources = [for verb in ["DELETE", "POST"] : "${aws_apigatewayv2_api.websocket.execution_arn}/${var.stage}/${verb}/@connections/*"]
        condition = null
      },
      {
        sid       = "Objects"
        allowed   = contains(local.told_of["PULLWIRE_BUCKET"], name) && contains(keys(local.object_actions), name)
        actions   = [for action in try(local.object_actions[name], []) : "s3:${action}"]
        resources = local.transit_arns
        condition = null
      },
      {
        sid       = "Readings"
        allowed   = contains(local.told_of["PULLWIRE_BUCKET"], name) && contains(keys(local.reading_actions), name)
        actions   = [for action in try(local.reading_actions[name], []) : "s3:${action}"]
        resources = ["${aws_s3_bucket.objects.arn}/${local.manifest.bucket.prefixes.readings}*"]
        condition = null
      },
      {
        sid       = "ListObjects"
        allowed   = contains(local.told_of["PULLWIRE_BUCKET"], name) && contains(keys(local.bucket_actions), name)
        actions   = [for action in try(local.bucket_actions[name], []) : "s3:${action}"]
        resources = [aws_s3_bucket.objects.arn]
        condition = null
      },
      {
        sid       = "OwnKey"
        allowed   = var.kms_key_arn != null
        actions   = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"]
        resources = [var.kms_key_arn]
        condition = { StringEquals = { "kms:ViaService" = local.key_services[name] } }
      },
    ]
  }

  policies = {
    for name, permissions in local.permissions : name => jsonencode({
      Version = "2012-10-17"
      Statement = [
        for permission in permissions : {
          for key, value in {
            Sid       = permission.sid
            Effect    = "Allow"
            Action    = permission.actions
            Resource  = permission.resources
            Condition = permission.condition
          } : key => value if value != null
        } if permission.allowed
      ]
    })
  }
}

resource "aws_iam_role" "function" {
  for_each = local.manifest.functions

  name               = "${local.prefix}-${data.aws_region.current.region}-${each.key}"
  description        = "What the pullwire function ${each.key} may do."
  assume_role_policy = local.trust["lambda.amazonaws.com"]
  tags               = local.tags
}

resource "aws_iam_role_policy" "function" {
  for_each = local.manifest.functions

  name   = each.key
  role   = aws_iam_role.function[each.key].name
  policy = local.policies[each.key]
}
