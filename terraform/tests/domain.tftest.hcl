mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  lambda_folder = "./tests/zips"
}

run "without_own_names" {
  command = apply

  module {
    source = "./tests/relay"
  }

  assert {
    condition     = output.websocket_url == "wss://abcde12345.execute-api.eu-central-1.amazonaws.com/production" && output.connections_url == "https://abcde12345.execute-api.eu-central-1.amazonaws.com/production"
    error_message = "agents dial API Gateway's own name, and functions post to it"
  }

  assert {
    condition     = length(aws_apigatewayv2_domain_name.websocket) == 0 && length(aws_acm_certificate.domain) == 0 && length(aws_route53_record.domain) == 0
    error_message = "nothing is made for a name that was not given"
  }
}

run "with_names_made_here" {
  command = apply

  module {
    source = "./tests/relay"
  }

  variables {
    domain = { name = "link.example.com", zone_id = "Z0123456789" }
    http   = { door = "rest-api", domain = { name = "relay.example.com", zone_id = "Z0123456789" } }
  }

  assert {
    condition     = output.websocket_url == "wss://link.example.com/link" && output.connections_url == "https://link.example.com/link"
    error_message = "the name changes where agents dial and where functions post, by the mapping's key in place of the stage"
  }

  assert {
    condition     = alltrue([for name in ["http", "message"] : aws_lambda_function.function[name].environment[0].variables["PULLWIRE_CONNECTIONS_URL"] == "https://link.example.com/link"])
    error_message = "functions that post are told"
  }

  assert {
    condition     = alltrue([for name in ["authorizer", "http"] : aws_lambda_function.function[name].environment[0].variables["PULLWIRE_LINK_URL"] == "wss://link.example.com/link"])
    error_message = "tokens are made for the name that is dialled"
  }

  assert {
    condition     = aws_apigatewayv2_api_mapping.websocket[0].api_mapping_key == "link" && aws_apigatewayv2_api_mapping.websocket[0].stage == aws_apigatewayv2_stage.websocket.id
    error_message = "the name leads to our stage"
  }

  assert {
    condition     = aws_acm_certificate.domain["websocket"].validation_method == "DNS" && aws_route53_record.proof["websocket"].records == toset(["_proof.acm-validations.aws."])
    error_message = "the certificate is proved by DNS"
  }

  assert {
    condition     = aws_apigatewayv2_domain_name.websocket[0].domain_name_configuration[0].certificate_arn == aws_acm_certificate_validation.domain["websocket"].certificate_arn && aws_apigatewayv2_domain_name.websocket[0].domain_name_configuration[0].security_policy == "TLS_1_2"
    error_message = "the name waits for its certificate"
  }

  assert {
    condition     = aws_route53_record.domain["websocket"].name == "link.example.com" && aws_route53_record.domain["websocket"].type == "A"
    error_message = "the name points at API Gateway"
  }

  assert {
    condition     = strcontains(aws_iam_role_policy.function["http"].policy, "abcde12345/production/POST/@connections/*")
    error_message = "the permission to post names API and stage, own name or not"
  }

  assert {
    condition     = output.http_url == "https://relay.example.com" && aws_api_gateway_base_path_mapping.http[0].domain_name == "relay.example.com"
    error_message = "callers have a name of their own"
  }

  assert {
    condition     = toset([for record in aws_route53_record.domain : record.name]) == toset(["link.example.com", "relay.example.com"])
    error_message = "both names point at API Gateway"
  }
}

run "with_a_name_brought_along" {
  command = apply

  module {
    source = "./tests/relay"
  }

  variables {
    domain = {
      name               = "link.example.com"
      create_certificate = false
      certificate_arn    = "arn:aws:acm:eu-central-1:123456789012:certificate/brought"
      create_record      = false
    }
  }

  assert {
    condition     = length(aws_acm_certificate.domain) == 0 && length(aws_route53_record.domain) == 0 && length(aws_route53_record.proof) == 0
    error_message = "certificate and record are left to the caller"
  }

  assert {
    condition     = aws_apigatewayv2_domain_name.websocket[0].domain_name_configuration[0].certificate_arn == "arn:aws:acm:eu-central-1:123456789012:certificate/brought"
    error_message = "the certificate is the caller's"
  }

  assert {
    condition     = keys(output.domain_targets) == ["link.example.com"]
    error_message = "the caller is told where the name has to point"
  }
}
