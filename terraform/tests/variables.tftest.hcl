mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  lambda_folder = "./tests/zips"
}

# Each value below is wrong in one way, and the variables named at the end say so.

run "out_of_shape" {
  command = plan

  module {
    source = "./tests/relay"
  }

  variables {
    name                    = "Pullwire"
    stage                   = "my_stage"
    domain                  = { name = "wss://link.example.com", zone_id = "Z1" }
    throttle                = { rate = 0 }
    reserved_concurrency    = { https = 5 }
    deadline                = { default_seconds = 700 }
    log_level               = "verbose"
    log_retention_days      = 10
    alarms                  = { topic_arns = ["arn:aws:sqs:eu-central-1:123456789012:queue"] }
    kms_key_arn             = "alias/relay"
    secret_version          = 1.5
    readings_retention_days = 0.5
    readings_bytes_per_day  = 16777215
    queue                   = { default_seconds = 3601, max_seconds = 3600 }
    issuers                 = [{ issuer = "http://login.example.com", audience = "pullwire", algorithms = ["HS256"], agents = {} }]
  }

  expect_failures = [
    var.name,
    var.stage,
    var.domain,
    var.throttle,
    var.reserved_concurrency,
    var.deadline,
    var.log_level,
    var.log_retention_days,
    var.alarms,
    var.readings_retention_days,
    var.readings_bytes_per_day,
    var.queue,
    var.kms_key_arn,
    var.secret_version,
    var.issuers,
  ]
}

run "out_of_range" {
  command = plan

  module {
    source = "./tests/relay"
  }

  variables {
    name                 = "a-name-of-21-letters-"
    http                 = { door = "http-api" }
    throttle             = { burst = 10000 }
    reserved_concurrency = { http = 0 }
    deadline             = { max_seconds = 900 }
    queue                = { keep_seconds = 0.5, per_device = 1001 }
    issuers              = [for name in ["a", "a"] : { issuer = "https://${name}.example.com", audience = "pullwire", agents = {} }]
  }

  expect_failures = [
    var.name,
    var.http,
    var.throttle,
    var.reserved_concurrency,
    var.deadline,
    var.queue,
    var.issuers,
  ]
}

run "domain_without_a_certificate" {
  command = plan

  module {
    source = "./tests/relay"
  }

  variables {
    domain = { name = "link.example.com", create_certificate = false, create_record = false }
  }

  expect_failures = [
    var.domain,
  ]
}

run "domain_without_a_zone" {
  command = plan

  module {
    source = "./tests/relay"
  }

  variables {
    domain = { name = "link.example.com" }
  }

  expect_failures = [
    var.domain,
  ]
}

run "domain_with_two_certificates" {
  command = plan

  module {
    source = "./tests/relay"
  }

  variables {
    domain = { name = "link.example.com", zone_id = "Z1", certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/x" }
  }

  expect_failures = [
    var.domain,
  ]
}

run "function_url_with_a_name" {
  command = plan

  module {
    source = "./tests/relay"
  }

  variables {
    http = { domain = { name = "relay.example.com", zone_id = "Z1" } }
  }

  expect_failures = [
    var.http,
  ]
}

run "issuer_good_for_nothing" {
  command = plan

  module {
    source = "./tests/relay"
  }

  variables {
    issuers = [{ issuer = "https://login.example.com", audience = "pullwire" }]
  }

  expect_failures = [
    var.issuers,
  ]
}

run "issuers_without_room" {
  command = plan

  module {
    source = "./tests/relay"
  }

  variables {
    issuers = [for n in range(20) : { issuer = "https://login-${n}.example.com", audience = "pullwire", agents = { labels = { site = "a-long-claim-name-that-takes-room" } } }]
  }

  expect_failures = [
    var.issuers,
  ]
}

run "one_name_for_both" {
  command = plan

  module {
    source = "./tests/relay"
  }

  variables {
    domain = { name = "relay.example.com", zone_id = "Z1" }
    http   = { door = "rest-api", domain = { name = "relay.example.com", zone_id = "Z1" } }
  }

  expect_failures = [
    var.http,
  ]
}
