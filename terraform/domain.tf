locals {
  # Own names by use. The two cannot be one: API Gateway keeps WebSocket APIs apart from HTTP.
  domains         = { for use, domain in { websocket = var.domain, http = var.http.domain } : use => domain if domain != null }
  certificates    = { for use, domain in local.domains : use => domain if domain.create_certificate }
  records         = { for use, domain in local.domains : use => domain if domain.create_record }
  certificate_arn = { for use, domain in local.domains : use => domain.create_certificate ? aws_acm_certificate_validation.domain[use].certificate_arn : domain.certificate_arn }

  # Where a name has to point; the outputs say so where its record is not made here.
  domain_target = {
    for use in keys(local.domains) : use => use == "websocket" ? {
      name    = aws_apigatewayv2_domain_name.websocket[0].domain_name_configuration[0].target_domain_name
      zone_id = aws_apigatewayv2_domain_name.websocket[0].domain_name_configuration[0].hosted_zone_id
      } : {
      name    = aws_api_gateway_domain_name.http[0].regional_domain_name
      zone_id = aws_api_gateway_domain_name.http[0].regional_zone_id
    }
  }
}

resource "aws_acm_certificate" "domain" {
  for_each = local.certificates

  domain_name       = each.value.name
  validation_method = "DNS"
  tags              = local.tags

  lifecycle {
    create_before_destroy = true
  }
}

# One name a certificate, so one proof each.
resource "aws_route53_record" "proof" {
  for_each = local.certificates

  zone_id         = each.value.zone_id
  name            = one(aws_acm_certificate.domain[each.key].domain_validation_options).resource_record_name
  type            = one(aws_acm_certificate.domain[each.key].domain_validation_options).resource_record_type
  records         = [one(aws_acm_certificate.domain[each.key].domain_validation_options).resource_record_value]
  ttl             = 300
  allow_overwrite = true
}

resource "aws_acm_certificate_validation" "domain" {
  for_each = local.certificates

  certificate_arn         = aws_acm_certificate.domain[each.key].arn
  validation_record_fqdns = [aws_route53_record.proof[each.key].fqdn]
}

resource "aws_apigatewayv2_domain_name" "websocket" {
  count = var.domain == null ? 0 : 1

  domain_name = var.domain.name
  tags        = local.tags

  domain_name_configuration {
    certificate_arn = local.certificate_arn["websocket"]
    endpoint_type   = "REGIONAL"
    security_policy = "TLS_1_2"
  }
}

resource "aws_apigatewayv2_api_mapping" "websocket" {
  count = var.domain == null ? 0 : 1

  api_id          = aws_apigatewayv2_api.websocket.id
  domain_name     = aws_apigatewayv2_domain_name.websocket[0].id
  stage           = aws_apigatewayv2_stage.websocket.id
  api_mapping_key = local.mapping_key
}

resource "aws_api_gateway_domain_name" "http" {
  count = var.http.domain == null ? 0 : 1

  domain_name              = var.http.domain.name
  regional_certificate_arn = local.certificate_arn["http"]
  security_policy          = "TLS_1_2"
  tags                     = local.tags

  endpoint_configuration {
    types = ["REGIONAL"]
  }
}

resource "aws_api_gateway_base_path_mapping" "http" {
  count = var.http.domain == null ? 0 : 1

  api_id      = aws_api_gateway_rest_api.http[0].id
  domain_name = aws_api_gateway_domain_name.http[0].domain_name
  stage_name  = aws_api_gateway_stage.http[0].stage_name
}

resource "aws_route53_record" "domain" {
  for_each = local.records

  zone_id = each.value.zone_id
  name    = each.value.name
  type    = "A"

  alias {
    name                   = local.domain_target[each.key].name
    zone_id                = local.domain_target[each.key].zone_id
    evaluate_target_health = false
  }
}
