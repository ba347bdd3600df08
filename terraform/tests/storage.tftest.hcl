mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  lambda_folder = "./tests/zips"
}

run "by_default" {
  command = apply

  module {
    source = "./tests/relay"
  }

  assert {
    condition     = aws_dynamodb_table.registry.billing_mode == "PAY_PER_REQUEST" && aws_dynamodb_table.registry.hash_key == "pk" && aws_dynamodb_table.registry.range_key == "sk"
    error_message = "the table's keys are the manifest's"
  }

  assert {
    condition     = { for attribute in aws_dynamodb_table.registry.attribute : attribute.name => attribute.type } == { pk = "S", sk = "S", kind = "S", id = "S" }
    error_message = "keys are text"
  }

  assert {
    condition = [
      for index in aws_dynamodb_table.registry.global_secondary_index :
      jsonencode([index.name, index.projection_type, [for key in index.key_schema : [key.attribute_name, key.key_type]]])
    ] == [jsonencode(["by-kind", "KEYS_ONLY", [["kind", "HASH"], ["id", "RANGE"]]])]
    error_message = "the one index is the manifest's"
  }

  assert {
    condition     = one(aws_dynamodb_table.registry.ttl).enabled && one(aws_dynamodb_table.registry.ttl).attribute_name == "expiresAt"
    error_message = "what expired is deleted in the end"
  }

  assert {
    condition     = one(aws_dynamodb_table.registry.point_in_time_recovery).enabled && aws_dynamodb_table.registry.deletion_protection_enabled
    error_message = "keys and devices can be restored, and are not deleted by mistake"
  }

  assert {
    condition     = one(aws_dynamodb_table.registry.server_side_encryption).enabled
    error_message = "the table is encrypted by a key of this account"
  }

  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.objects.block_public_acls,
      aws_s3_bucket_public_access_block.objects.block_public_policy,
      aws_s3_bucket_public_access_block.objects.ignore_public_acls,
      aws_s3_bucket_public_access_block.objects.restrict_public_buckets,
    ])
    error_message = "nothing of the bucket is public"
  }

  assert {
    condition     = aws_s3_bucket_ownership_controls.objects.rule[0].object_ownership == "BucketOwnerEnforced"
    error_message = "access lists have no say"
  }

  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.objects.rule).apply_server_side_encryption_by_default).sse_algorithm == "AES256"
    error_message = "objects are encrypted"
  }

  # Unavoidable: a refusal for everybody and everything.
  assert {
    condition = jsondecode(aws_s3_bucket_policy.objects.policy).Statement == [{
      Sid       = "OnlyByTls"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = ["arn:aws:s3:::mock-bucket", "arn:aws:s3:::mock-bucket/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
    error_message = "the bucket speaks TLS only, and its policy allows nobody anything"
  }

  assert {
    condition = {
      for rule in aws_s3_bucket_lifecycle_configuration.objects.rule : rule.filter[0].prefix => rule.expiration[0].days
    } == { "queue/" = 10, "readings/" = 32, "replies/" = 1, "uploads/" = 1 }
    error_message = "what nobody fetched goes after a day, readings and what queued pulls keep when nobody is shown them any more"
  }

  assert {
    condition     = alltrue([for rule in aws_s3_bucket_lifecycle_configuration.objects.rule : rule.abort_incomplete_multipart_upload[0].days_after_initiation == 1])
    error_message = "what was never completed goes after a day"
  }

  assert {
    condition     = aws_s3_bucket.objects.force_destroy == false
    error_message = "a bucket with objects is not deleted by mistake"
  }
}

run "with_an_own_key" {
  command = apply

  module {
    source = "./tests/relay"
  }

  variables {
    kms_key_arn         = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    deletion_protection = false

    readings_retention_days = 7
    readings_bytes_per_day  = 1099511627776
  }

  assert {
    condition     = one([for rule in aws_s3_bucket_lifecycle_configuration.objects.rule : rule.expiration[0].days if rule.filter[0].prefix == "readings/"]) == 9
    error_message = "objects of readings are kept as long as those are"
  }

  assert {
    condition     = aws_lambda_function.function["message"].environment[0].variables["PULLWIRE_RETENTION_DAYS"] == "7"
    error_message = "and the function that writes them knows how long that is"
  }

  assert {
    condition     = aws_lambda_function.function["message"].environment[0].variables["PULLWIRE_READINGS_BYTES_PER_DAY"] == "1099511627776"
    error_message = "and how much a device may have stored, in plain digits"
  }

  assert {
    condition     = one(aws_dynamodb_table.registry.server_side_encryption).kms_key_arn == var.kms_key_arn
    error_message = "the table is encrypted by the own key"
  }

  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.objects.rule).apply_server_side_encryption_by_default).kms_master_key_id == var.kms_key_arn
    error_message = "objects are encrypted by the own key"
  }

  assert {
    condition     = alltrue([for group in concat(values(aws_cloudwatch_log_group.function), aws_cloudwatch_log_group.access) : group.kms_key_id == var.kms_key_arn])
    error_message = "logs are encrypted by the own key"
  }

  assert {
    condition     = !aws_dynamodb_table.registry.deletion_protection_enabled && aws_s3_bucket.objects.force_destroy
    error_message = "protection can be taken off before everything is removed"
  }
}
