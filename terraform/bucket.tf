# Bodies that are too large for frames, on their way: replies and uploads, each gone within days. And those of readings
# that are too large for the table, for as long as readings are kept, and of queued pulls, which are removed when they were
# kept long enough: the rule is for what no function knows of, such as a part that came after its pull was cancelled.
locals {
  # A reading may be a day ahead of the relay's clock, and its object must not go before its item.
  object_days = {
    for name in keys(local.manifest.bucket.prefixes) :
    name => lookup({
      # A queued pull waits for its device, and is kept after that.
      queue    = ceil((var.queue.max_seconds + var.queue.keep_seconds) / 86400) + 2
      readings = var.readings_retention_days + 2
    }, name, local.manifest.bucket.expireDays)
  }
}

resource "aws_s3_bucket" "objects" {
  bucket_prefix = "${local.prefix}-"
  force_destroy = !var.deletion_protection
  tags          = local.tags
}

resource "aws_s3_bucket_public_access_block" "objects" {
  bucket = aws_s3_bucket.objects.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "objects" {
  bucket = aws_s3_bucket.objects.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "objects" {
  bucket = aws_s3_bucket.objects.id

  rule {
    bucket_key_enabled = var.kms_key_arn != null

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.kms_key_arn == null ? "AES256" : "aws:kms"
      kms_master_key_id = var.kms_key_arn
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "objects" {
  bucket = aws_s3_bucket.objects.id

  dynamic "rule" {
    for_each = local.object_days

    content {
      id     = "expire-${rule.key}"
      status = "Enabled"

      filter {
        prefix = local.manifest.bucket.prefixes[rule.key]
      }

      expiration {
        days = rule.value
      }

      abort_incomplete_multipart_upload {
        days_after_initiation = local.manifest.bucket.expireDays
      }
    }
  }
}

resource "aws_s3_bucket_policy" "objects" {
  bucket = aws_s3_bucket.objects.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OnlyByTls"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [aws_s3_bucket.objects.arn, "${aws_s3_bucket.objects.arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })

  # The policy must not be refused as public by a block that is being written at the same time.
  depends_on = [aws_s3_bucket_public_access_block.objects]
}
