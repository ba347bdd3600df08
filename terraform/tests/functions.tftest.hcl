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
    condition     = toset(keys(aws_lambda_function.function)) == toset(["authorizer", "connect", "disconnect", "http", "message", "sweep"])
    error_message = "the functions are the manifest's"
  }

  assert {
    condition     = alltrue([for function in aws_lambda_function.function : function.runtime == "nodejs24.x" && function.architectures == tolist(["arm64"]) && function.handler == "index.handler"])
    error_message = "functions run on Node 24 and arm64"
  }

  assert {
    condition     = { for name, function in aws_lambda_function.function : name => function.timeout } == { for name, function in local.manifest.functions : name => function.timeoutSeconds }
    error_message = "time-outs are the manifest's"
  }

  assert {
    condition     = alltrue([for name, function in aws_lambda_function.function : toset(keys(function.environment[0].variables)) == toset(local.manifest.functions[name].environment)])
    error_message = "a function is told what the manifest says, and nothing else"
  }

  assert {
    condition     = alltrue([for name in keys(local.environment) : length(local.told_of[name]) > 0])
    error_message = "every variable is read by a function"
  }

  assert {
    condition     = alltrue(flatten([for function in aws_lambda_function.function : [for value in values(function.environment[0].variables) : value != ""]]))
    error_message = "no variable is empty"
  }

  assert {
    condition     = aws_lambda_function.function["http"].environment[0].variables["PULLWIRE_SECRET"] == "/pullwire/production/secret"
    error_message = "functions are told the secret's name, not the secret"
  }

  assert {
    condition     = aws_lambda_function.function["authorizer"].environment[0].variables["PULLWIRE_ISSUERS"] == "[]"
    error_message = "no issuer is trusted unless it is named"
  }

  assert {
    condition     = alltrue([for function in aws_lambda_function.function : function.reserved_concurrent_executions == -1])
    error_message = "no concurrency is reserved: a new account has 10 in all"
  }

  assert {
    condition     = alltrue([for name, function in aws_lambda_function.function : function.filename == "./tests/zips/${name}.zip" && function.source_code_hash == filebase64sha256("./tests/zips/${name}.zip")])
    error_message = "a function is its zip, and changes with it"
  }

  assert {
    condition     = alltrue([for name, function in aws_lambda_function.function : function.logging_config[0].log_group == aws_cloudwatch_log_group.function[name].name && function.logging_config[0].log_format == "JSON"])
    error_message = "each function has a log group of its own"
  }

  assert {
    condition     = alltrue([for group in concat(values(aws_cloudwatch_log_group.function), aws_cloudwatch_log_group.access) : group.retention_in_days == 30])
    error_message = "no log is kept for ever"
  }

  assert {
    condition     = length(aws_api_gateway_account.logging) == 0
    error_message = "the account's settings are left alone unless asked"
  }
}

run "by_settings" {
  command = apply

  module {
    source = "./tests/relay"
  }

  variables {
    name                 = "relay"
    stage                = "test"
    reserved_concurrency = { http = 50 }
    deadline             = { default_seconds = 10, max_seconds = 60 }
    queue                = { default_seconds = 60, max_seconds = 3600, keep_seconds = 120, per_device = 5, per_caller = 50 }
    log_level            = "debug"
    log_retention_days   = 7
    secret_version       = 2
    tags                 = { team = "plants" }
    account_logging_role = true
    issuers = [
      { issuer = "https://devices.example.com", audience = "pullwire", agents = {} },
      {
        issuer     = "https://login.example.com"
        jwks_uri   = "https://login.example.com/keys"
        audience   = "pullwire"
        algorithms = ["RS256"]
        agents     = { device = "device_id", instance = "inst", labels = { site = "site" } }
        callers = {
          name   = "email"
          grants = [{ when = { groups = "ops" }, devices = ["plant-*"], sources = ["*"], methods = ["GET"] }]
        }
      },
    ]
  }

  assert {
    condition     = aws_lambda_function.function["http"].reserved_concurrent_executions == 50 && aws_lambda_function.function["message"].reserved_concurrent_executions == -1
    error_message = "concurrency is reserved where asked"
  }

  assert {
    condition     = aws_lambda_function.function["http"].environment[0].variables["PULLWIRE_DEADLINE_DEFAULT_MS"] == "10000" && aws_lambda_function.function["http"].environment[0].variables["PULLWIRE_DEADLINE_MAX_MS"] == "60000"
    error_message = "deadlines are told in milliseconds"
  }

  assert {
    condition = [
      for name in ["DEFAULT_MS", "MAX_MS", "KEEP_MS", "PER_DEVICE", "PER_CALLER"] :
      aws_lambda_function.function["http"].environment[0].variables["PULLWIRE_QUEUE_${name}"]
    ] == ["60000", "3600000", "120000", "5", "50"]
    error_message = "so are the times of the queue, and its bounds as they are"
  }

  # Nothing of what is not set is written: the code has its own defaults.
  assert {
    condition = jsondecode(aws_lambda_function.function["authorizer"].environment[0].variables["PULLWIRE_ISSUERS"]) == [
      { issuer = "https://devices.example.com", audience = "pullwire", agents = { device = "sub" } },
      {
        issuer     = "https://login.example.com"
        jwksUri    = "https://login.example.com/keys"
        audience   = "pullwire"
        algorithms = ["RS256"]
        agents     = { device = "device_id", instance = "inst", labels = { site = "site" } }
        callers = {
          name   = "email"
          grants = [{ when = { groups = "ops" }, devices = ["plant-*"], sources = ["*"], methods = ["GET"] }]
        }
      },
    ]
    error_message = "issuers are told as the one-box server is"
  }

  assert {
    condition     = aws_lambda_function.function["http"].environment[0].variables["PULLWIRE_ISSUERS"] == aws_lambda_function.function["authorizer"].environment[0].variables["PULLWIRE_ISSUERS"]
    error_message = "callers and agents have the same issuers"
  }

  assert {
    condition     = alltrue([for name, function in aws_lambda_function.function : function.function_name == "relay-test-${name}" && strcontains(function.description, "secret version 2")])
    error_message = "names begin with name and stage, and a new secret makes new environments"
  }

  assert {
    condition     = alltrue([for function in aws_lambda_function.function : function.tags == tomap({ Application = "relay", Stage = "test", team = "plants" })])
    error_message = "tags are on the functions"
  }

  assert {
    condition     = aws_cloudwatch_log_group.function["http"].retention_in_days == 7
    error_message = "retention is the caller's"
  }

  assert {
    condition     = alltrue([for function in aws_lambda_function.function : function.logging_config[0].application_log_level == "DEBUG"])
    error_message = "Lambda lets through what the functions log"
  }

  assert {
    condition     = aws_api_gateway_account.logging[0].cloudwatch_role_arn == aws_iam_role.account_logging[0].arn
    error_message = "API Gateway is told the role"
  }
}
