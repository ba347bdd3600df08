variable "name" {
  description = "The parameter's name, with its path."
  type        = string
}

variable "secret_version" {
  description = "Raising it replaces the secret."
  type        = number
}

variable "kms_key_arn" {
  description = "An existing KMS key in place of AWS's own."
  type        = string
  default     = null
}

variable "tags" {
  description = "The parameter's tags."
  type        = map(string)
  default     = {}
}
