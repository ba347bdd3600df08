# The functions derive their keys from it: those that sign where a reply goes, and those of the reply channel's tokens.
module "secret" {
  source = "./modules/secret"

  name           = "/${var.name}/${var.stage}/secret"
  secret_version = var.secret_version
  kms_key_arn    = var.kms_key_arn
  tags           = local.tags
}
