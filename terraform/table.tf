resource "aws_dynamodb_table" "registry" {
  name                        = "${local.prefix}-registry"
  billing_mode                = local.manifest.table.billingMode
  hash_key                    = local.manifest.table.partitionKey
  range_key                   = local.manifest.table.sortKey
  deletion_protection_enabled = var.deletion_protection
  tags                        = local.tags

  dynamic "attribute" {
    for_each = toset([
      local.manifest.table.partitionKey,
      local.manifest.table.sortKey,
      local.manifest.table.listIndex.partitionKey,
      local.manifest.table.listIndex.sortKey,
    ])

    content {
      name = attribute.value
      type = "S"
    }
  }

  global_secondary_index {
    name            = local.manifest.table.listIndex.name
    projection_type = local.manifest.table.listIndex.projection

    key_schema {
      attribute_name = local.manifest.table.listIndex.partitionKey
      key_type       = "HASH"
    }

    key_schema {
      attribute_name = local.manifest.table.listIndex.sortKey
      key_type       = "RANGE"
    }
  }

  # Deletes within days; nothing relies on it.
  ttl {
    enabled        = true
    attribute_name = local.manifest.table.expiryAttribute
  }

  point_in_time_recovery {
    enabled = true
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = var.kms_key_arn
  }
}
