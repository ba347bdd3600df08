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

  # Who may do what, as one table. A change here is a change of what somebody can do.
  assert {
    condition = {
      for name, policy in aws_iam_role_policy.function : name => [for statement in jsondecode(policy.policy).Statement : statement.Sid]
      } == {
      authorizer = ["Log", "Table", "Secret"]
      connect    = ["Log", "Table"]
      disconnect = ["Log", "Table"]
      http       = ["Log", "Table", "List", "Secret", "Connections", "Objects", "Readings", "ListObjects"]
      message    = ["Log", "Table", "Secret", "Connections", "Objects", "Readings", "ListObjects"]
      sweep      = ["Log", "Table", "List", "Objects", "Readings", "ListObjects"]
    }
    error_message = "each function has what it needs, and no more"
  }

  assert {
    condition = {
      for name, policy in aws_iam_role_policy.function : name => one([for statement in jsondecode(policy.policy).Statement : statement.Action if statement.Sid == "Table"])
      } == {
      authorizer = ["dynamodb:Query"]
      connect    = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"]
      disconnect = ["dynamodb:UpdateItem"]
      http       = ["dynamodb:BatchGetItem", "dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"]
      message    = ["dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"]
      sweep      = ["dynamodb:BatchGetItem", "dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:Query"]
    }
    error_message = "each function does with the table what its code does"
  }

  assert {
    condition = {
      for name, policy in aws_iam_role_policy.function : name => flatten([
        for statement in jsondecode(policy.policy).Statement : [for action in statement.Action : "${action} ${join(" ", statement.Resource)}"] if statement.Sid == "Readings"
      ])
      } == {
      authorizer = []
      connect    = []
      disconnect = []
      http       = ["s3:GetObject arn:aws:s3:::mock-bucket/readings/*"]
      message    = ["s3:DeleteObject arn:aws:s3:::mock-bucket/readings/*", "s3:PutObject arn:aws:s3:::mock-bucket/readings/*"]
      sweep      = ["s3:DeleteObject arn:aws:s3:::mock-bucket/readings/*"]
    }
    error_message = "readings are written where they come in, read where they are asked for, removed by the sweep, and touched by nobody else"
  }

  assert {
    condition     = alltrue(flatten([for policy in aws_iam_role_policy.function : [for statement in jsondecode(policy.policy).Statement : [for action in statement.Action : !strcontains(action, "*")]]]))
    error_message = "no action has a star"
  }

  # Unavoidable: a log group's streams, which Lambda names; connection ids, which API Gateway makes; objects below a prefix.
  assert {
    condition = toset(flatten([
      for policy in aws_iam_role_policy.function : [
        for statement in jsondecode(policy.policy).Statement : [for resource in statement.Resource : resource if strcontains(resource, "*")]
      ]
      ])) == toset([
      "arn:aws:logs:eu-central-1:123456789012:log-group:mock:*",
      "arn:aws:execute-api:eu-central-1:123456789012:abcde12345/production/DELETE/@connections/*",
      "arn:aws:execute-api:eu-central-1:123456789012:abcde12345/production/POST/@connections/*",
      "arn:aws:s3:::mock-bucket/queue/*",
      "arn:aws:s3:::mock-bucket/readings/*",
      "arn:aws:s3:::mock-bucket/replies/*",
      "arn:aws:s3:::mock-bucket/uploads/*",
    ])
    error_message = "no other resource has a star"
  }

  assert {
    condition     = alltrue(flatten([for policy in aws_iam_role_policy.function : [for statement in jsondecode(policy.policy).Statement : statement.Effect == "Allow" && length(statement.Action) > 0 && length(statement.Resource) > 0]]))
    error_message = "no statement is empty"
  }

  assert {
    condition     = length(aws_iam_role.function) == length(aws_lambda_function.function) && alltrue([for name, policy in aws_iam_role_policy.function : policy.role == aws_iam_role.function[name].name])
    error_message = "each function has a role of its own"
  }

  assert {
    condition     = alltrue([for role in aws_iam_role.function : jsondecode(role.assume_role_policy).Statement[0].Principal == { Service = "lambda.amazonaws.com" }])
    error_message = "only Lambda takes these roles"
  }

  assert {
    condition = toset(flatten([
      for policy in aws_iam_role_policy.function : [
        for statement in jsondecode(policy.policy).Statement : [for resource in statement.Resource : resource if statement.Sid == "Secret"]
      ]
    ])) == toset(["arn:aws:ssm:eu-central-1:123456789012:parameter/pullwire/production/secret"])
    error_message = "functions read one parameter, by its own name"
  }

  assert {
    condition     = !strcontains(join("", values(local.policies)), "kms:")
    error_message = "AWS's own keys need no permission"
  }

  assert {
    condition = { for key, permission in aws_lambda_permission.route : key => permission.source_arn } == {
      "$connect"    = "arn:aws:execute-api:eu-central-1:123456789012:abcde12345/production/$connect"
      "$default"    = "arn:aws:execute-api:eu-central-1:123456789012:abcde12345/production/$default"
      "$disconnect" = "arn:aws:execute-api:eu-central-1:123456789012:abcde12345/production/$disconnect"
    }
    error_message = "a route's function answers to its own route of our stage only"
  }

  assert {
    condition     = aws_lambda_permission.authorizer.source_arn == "arn:aws:execute-api:eu-central-1:123456789012:abcde12345/authorizers/auth01"
    error_message = "the authorizer answers to our API's authorizer only"
  }

  assert {
    condition     = aws_lambda_permission.sweep.principal == "events.amazonaws.com" && aws_lambda_permission.sweep.source_arn == aws_cloudwatch_event_rule.sweep.arn
    error_message = "the sweep answers to its schedule only"
  }

  assert {
    condition     = alltrue([for permission in values(aws_lambda_permission.route) : permission.principal == "apigateway.amazonaws.com" && permission.action == "lambda:InvokeFunction"])
    error_message = "routes are invoked by API Gateway"
  }
}

run "with_an_own_key" {
  command = apply

  module {
    source = "./tests/relay"
  }

  variables {
    kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  }

  assert {
    condition = alltrue([
      for policy in aws_iam_role_policy.function : [
        for statement in jsondecode(policy.policy).Statement : statement.Resource if statement.Sid == "OwnKey"
      ] == [["arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555"]]
    ])
    error_message = "every function may use the one key"
  }

  assert {
    condition = {
      for name, policy in aws_iam_role_policy.function : name => one([
        for statement in jsondecode(policy.policy).Statement : statement.Condition.StringEquals["kms:ViaService"] if statement.Sid == "OwnKey"
      ])
      } == {
      authorizer = ["dynamodb.eu-central-1.amazonaws.com", "ssm.eu-central-1.amazonaws.com"]
      connect    = ["dynamodb.eu-central-1.amazonaws.com"]
      disconnect = ["dynamodb.eu-central-1.amazonaws.com"]
      http       = ["dynamodb.eu-central-1.amazonaws.com", "s3.eu-central-1.amazonaws.com", "ssm.eu-central-1.amazonaws.com"]
      message    = ["dynamodb.eu-central-1.amazonaws.com", "s3.eu-central-1.amazonaws.com", "ssm.eu-central-1.amazonaws.com"]
      sweep      = ["dynamodb.eu-central-1.amazonaws.com", "s3.eu-central-1.amazonaws.com"]
    }
    error_message = "and only through the services that it uses"
  }
}
