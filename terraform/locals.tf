locals {
  # The relay as its code sees it: functions, routes, environment, table. Nothing of it is said a second time here.
  manifest = jsondecode(file("${path.module}/relay.json"))

  prefix = "${var.name}-${var.stage}"
  tags   = merge({ Application = var.name, Stage = var.stage }, var.tags)

  lambda_folder = coalesce(var.lambda_folder, "${path.module}/../cloud/dist/lambda")

  # Where agents dial, and where functions post: the same host, by an own name or by API Gateway's.
  # Behind an own name the mapping's key takes the place of the stage, for posts too.
  mapping_key     = "link"
  link_host       = var.domain == null ? trimprefix(aws_apigatewayv2_api.websocket.api_endpoint, "wss://") : var.domain.name
  link_path       = var.domain == null ? var.stage : local.mapping_key
  link_url        = "wss://${local.link_host}/${local.link_path}"
  connections_url = "https://${local.link_host}/${local.link_path}"

  # As the relay's code reads it: its own names, and nothing where nothing is set.
  issuers = jsonencode([
    for issuer in var.issuers : {
      for key, value in {
        issuer     = issuer.issuer
        jwksUri    = issuer.jwks_uri
        audience   = issuer.audience
        algorithms = issuer.algorithms
        agents     = issuer.agents == null ? null : { for key, value in issuer.agents : key => value if value != null }
        callers = issuer.callers == null ? null : {
          name   = issuer.callers.name
          grants = [for grant in issuer.callers.grants : { for key, value in grant : key => value if value != null }]
        }
      } : key => value if value != null
    }
  ])

  # Every variable that a function may ask for. The manifest says which function gets which.
  environment = {
    PULLWIRE_BUCKET                 = aws_s3_bucket.objects.id
    PULLWIRE_CONNECTIONS_URL        = local.connections_url
    PULLWIRE_DEADLINE_DEFAULT_MS    = tostring(var.deadline.default_seconds * 1000)
    PULLWIRE_DEADLINE_MAX_MS        = tostring(var.deadline.max_seconds * 1000)
    PULLWIRE_ISSUERS                = local.issuers
    PULLWIRE_LINK_URL               = local.link_url
    PULLWIRE_LOG_LEVEL              = var.log_level
    PULLWIRE_QUEUE_DEFAULT_MS       = tostring(var.queue.default_seconds * 1000)
    PULLWIRE_QUEUE_KEEP_MS          = tostring(var.queue.keep_seconds * 1000)
    PULLWIRE_QUEUE_MAX_MS           = tostring(var.queue.max_seconds * 1000)
    PULLWIRE_QUEUE_PER_CALLER       = tostring(var.queue.per_caller)
    PULLWIRE_QUEUE_PER_DEVICE       = tostring(var.queue.per_device)
    PULLWIRE_READINGS_BYTES_PER_DAY = tostring(var.readings_bytes_per_day)
    PULLWIRE_RETENTION_DAYS         = tostring(var.readings_retention_days)
    PULLWIRE_SECRET                 = module.secret.name
    PULLWIRE_TABLE                  = aws_dynamodb_table.registry.name
    PULLWIRE_TOKEN_IN_QUERY         = tostring(var.token_in_query)
  }

  # Which functions are told of a thing, and so may use it.
  told_of = {
    for name in keys(local.environment) :
    name => [for key, function in local.manifest.functions : key if contains(function.environment, name)]
  }
}

data "aws_partition" "current" {}

data "aws_region" "current" {}

data "aws_caller_identity" "current" {}
