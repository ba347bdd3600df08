# A random text that stands in no state and no plan: the value is ephemeral, and written by a write-only argument.
# A module of its own, so that mocked tests can override it: Terraform 1.11 cannot mock ephemeral resources.

# Asked anew at every run, and thrown away unless the version was raised. 64 letters and digits are 381 bits.
ephemeral "aws_secretsmanager_random_password" "secret" {
  password_length     = 64
  exclude_punctuation = true
}

resource "aws_ssm_parameter" "secret" {
  name             = var.name
  description      = "Keys of the pullwire functions are derived from it. Written by Terraform, version ${var.secret_version}."
  type             = "SecureString"
  key_id           = var.kms_key_arn
  value_wo         = ephemeral.aws_secretsmanager_random_password.secret.random_password
  value_wo_version = var.secret_version
  tags             = var.tags
}
