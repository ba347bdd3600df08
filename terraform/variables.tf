variable "name" {
  description = "First part of every resource's name: letters, digits and hyphens, at most 20."
  type        = string
  default     = "pullwire"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,18}[a-z0-9]$", var.name))
    error_message = "The name is 2 to 20 lower-case letters, digits and hyphens, begins with a letter and does not end in a hyphen."
  }
}

variable "stage" {
  description = "Second part of every resource's name, and the stage's in the WebSocket URL: production, test…"
  type        = string
  default     = "production"

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{0,10}[a-z0-9]$", var.stage))
    error_message = "The stage is 2 to 12 lower-case letters, digits and hyphens, with no hyphen at either end."
  }
}

variable "lambda_folder" {
  description = "Folder with the built functions, one `<function>.zip` each, as `npm run build` writes them. Default: `cloud/dist/lambda` of this repository."
  type        = string
  default     = null
}

variable "domain" {
  description = "Own name for the WebSocket API (`wss://<name>/link`), which HTTP cannot share. `zone_id` is a Route 53 zone; it is needed where the certificate or the record is made here. Without own name agents dial API Gateway's."
  type = object({
    name               = string
    zone_id            = optional(string)
    create_certificate = optional(bool, true)
    certificate_arn    = optional(string)
    create_record      = optional(bool, true)
  })
  default = null

  validation {
    condition     = var.domain == null || can(regex("^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$", var.domain.name))
    error_message = "The domain's name is a host name in lower case, such as link.example.com."
  }

  validation {
    condition     = var.domain == null || try(var.domain.create_certificate != (var.domain.certificate_arn != null), false)
    error_message = "Either create_certificate is true, or it is false and certificate_arn names one in this region."
  }

  validation {
    condition     = var.domain == null || try(var.domain.zone_id != null || !(var.domain.create_certificate || var.domain.create_record), false)
    error_message = "zone_id is needed where create_certificate or create_record is true."
  }
}

variable "http" {
  description = "The callers' door: `function-url` (the default), or `rest-api` where an own name or a WAF is wanted. Both stream answers for up to 15 minutes. `domain` is as above; for a WAF, associate its web ACL with the output `http_stage_arn`."
  type = object({
    door = optional(string, "function-url")
    domain = optional(object({
      name               = string
      zone_id            = optional(string)
      create_certificate = optional(bool, true)
      certificate_arn    = optional(string)
      create_record      = optional(bool, true)
    }))
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains(["function-url", "rest-api"], var.http.door)
    error_message = "The door is function-url or rest-api."
  }

  validation {
    condition     = var.http.domain == null || var.http.door == "rest-api"
    error_message = "An own name needs the door rest-api: a function URL has none."
  }

  validation {
    condition     = var.http.domain == null || try(var.http.domain.name != var.domain.name, true)
    error_message = "HTTP and the WebSocket API cannot share a name."
  }

  validation {
    condition     = var.http.domain == null || try(var.http.domain.create_certificate != (var.http.domain.certificate_arn != null), false)
    error_message = "Either create_certificate is true, or it is false and certificate_arn names one in this region."
  }

  validation {
    condition     = var.http.domain == null || try(var.http.domain.zone_id != null || !(var.http.domain.create_certificate || var.http.domain.create_record), false)
    error_message = "zone_id is needed where create_certificate or create_record is true."
  }
}

variable "throttle" {
  description = "Handshakes and messages a second that the stage takes (`rate`), and how many at once (`burst`). The account has 10,000 and 5,000 a region, shared by all its APIs and by posts to connections."
  type = object({
    rate  = optional(number, 2000)
    burst = optional(number, 1000)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.throttle.rate >= 1 && var.throttle.rate <= 10000 && var.throttle.burst >= 1 && var.throttle.burst <= 5000
    error_message = "rate is 1 to 10000 a second, burst 1 to 5000."
  }
}

variable "reserved_concurrency" {
  description = "Concurrent invocations that a function keeps for itself and may not exceed, by function. Default: none, because a new account has 10 in all."
  type        = map(number)
  default     = {}
  nullable    = false

  validation {
    condition     = length(setsubtract(keys(var.reserved_concurrency), keys(local.manifest.functions))) == 0
    error_message = "The functions are ${join(", ", keys(local.manifest.functions))}."
  }

  validation {
    condition     = alltrue([for count in values(var.reserved_concurrency) : count >= 1 && floor(count) == count])
    error_message = "Reserved concurrency is a whole number of at least 1; 0 would switch the function off."
  }
}

variable "deadline" {
  description = "Seconds until a reply's head is due: where the caller asks for no other time, and at most (`Prefer: wait=`)."
  type = object({
    default_seconds = optional(number, 30)
    max_seconds     = optional(number, 600)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.deadline.default_seconds >= 1 && var.deadline.default_seconds <= var.deadline.max_seconds
    error_message = "default_seconds is at least 1 and not above max_seconds."
  }

  validation {
    condition     = var.deadline.max_seconds <= local.manifest.functions[local.manifest.http.function].timeoutSeconds - 30
    error_message = "max_seconds stays 30 s below the http function's own time-out, so that the caller gets the error that knows why."
  }
}

variable "queue" {
  description = "Pulls that wait for their devices (`Prefer: respond-async`): seconds that one waits where its caller says nothing, and at most (`Pullwire-Deadline`); seconds that it is kept after its end; and how many there may be of one device and of one caller. A change counts for pulls that are queued from then on."
  type = object({
    default_seconds = optional(number, 86400)
    max_seconds     = optional(number, 604800)
    keep_seconds    = optional(number, 86400)
    per_device      = optional(number, 100)
    per_caller      = optional(number, 1000)
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for seconds in [var.queue.default_seconds, var.queue.max_seconds, var.queue.keep_seconds] : seconds == floor(seconds) && seconds >= 1 && seconds <= 2592000])
    error_message = "default_seconds, max_seconds and keep_seconds are whole numbers from 1 to 2592000 (30 days)."
  }

  validation {
    condition     = var.queue.default_seconds <= var.queue.max_seconds
    error_message = "default_seconds is not above max_seconds."
  }

  validation {
    condition     = alltrue([for count in [var.queue.per_device, var.queue.per_caller] : count == floor(count) && count >= 1 && count <= 1000])
    error_message = "per_device and per_caller are whole numbers from 1 to 1000."
  }
}

variable "issuers" {
  description = "Issuers (OpenID Connect) whose tokens the relay accepts. `agents`: the claims that name the device, its instance and its labels; without it the issuer's tokens speak for no device. `callers`: the claim that names the caller, and what those may pull who have the claims of `when`; without it its tokens are no caller's. `jwks_uri`: without it the issuer's own configuration says where its keys are. A function's variables have 4 KB in all, so that there is room for a few issuers."
  type = list(object({
    issuer     = string
    jwks_uri   = optional(string)
    audience   = string
    algorithms = optional(list(string))
    agents = optional(object({
      device   = optional(string, "sub")
      instance = optional(string)
      labels   = optional(map(string))
    }))
    callers = optional(object({
      name = optional(string, "sub")
      grants = list(object({
        when    = optional(map(string))
        devices = list(string)
        labels  = optional(map(string))
        sources = list(string)
        methods = list(string)
        manage  = optional(bool)
      }))
    }))
  }))
  default  = []
  nullable = false

  validation {
    condition     = alltrue([for issuer in var.issuers : startswith(issuer.issuer, "https://") && startswith(coalesce(issuer.jwks_uri, "https://"), "https://")])
    error_message = "issuer and jwks_uri are https URLs."
  }

  validation {
    condition     = alltrue([for issuer in var.issuers : issuer.agents != null || issuer.callers != null])
    error_message = "An issuer has agents, callers or both: its tokens would be good for nothing."
  }

  validation {
    condition     = length(distinct(var.issuers[*].issuer)) == length(var.issuers)
    error_message = "Each issuer stands in the list once."
  }

  validation {
    condition     = alltrue([for issuer in var.issuers : issuer.audience != "" && length(setsubtract(coalesce(issuer.algorithms, ["RS256"]), ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"])) == 0])
    error_message = "audience is not empty, and algorithms are of public keys: RS256, PS256, ES256, EdDSA…"
  }

  validation {
    condition     = length(jsonencode(var.issuers)) <= 3000
    error_message = "The issuers take ${length(jsonencode(var.issuers))} characters of JSON, and a function's variables have room for 3000."
  }
}

variable "token_in_query" {
  description = "Take an agent's token from the query too, for clients that cannot set headers. URLs end up in logs: keep it off."
  type        = bool
  default     = false
  nullable    = false
}

variable "log_level" {
  description = "The least level that the functions log."
  type        = string
  default     = "info"

  validation {
    condition     = contains(["fatal", "error", "warn", "info", "debug", "trace", "silent"], var.log_level)
    error_message = "The level is fatal, error, warn, info, debug, trace or silent."
  }
}

variable "log_retention_days" {
  description = "Days that logs are kept, one of CloudWatch's steps."
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "CloudWatch keeps logs for 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653 days."
  }
}

variable "readings_retention_days" {
  description = "Days for which a reading is kept after the time at which it was due. A change counts for readings that come from then on; objects of earlier ones go by the new value too."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.readings_retention_days == floor(var.readings_retention_days) && var.readings_retention_days >= 1 && var.readings_retention_days <= 3650
    error_message = "Readings are kept for 1 to 3650 whole days."
  }
}

variable "readings_bytes_per_day" {
  description = "Bytes of readings that one device may have stored a day, at least 16 MiB, with about 500 for each reading besides its body. What is more its agent keeps, and sends later: a stolen device cannot fill the table and the bucket."
  type        = number
  default     = 268435456
  nullable    = false

  validation {
    condition     = var.readings_bytes_per_day == floor(var.readings_bytes_per_day) && var.readings_bytes_per_day >= 16777216 && var.readings_bytes_per_day <= 1099511627776
    error_message = "readings_bytes_per_day is a whole number from 16777216 (16 MiB) to 1099511627776 (1 TiB)."
  }
}

variable "access_log" {
  description = "Write a line for each handshake and message. API Gateway then wants the account's logging role: see `account_logging_role`."
  type        = bool
  default     = true
  nullable    = false
}

variable "account_logging_role" {
  description = "Make the role by which API Gateway logs, and set it for the whole account and region. Once an account and region, and only where there is none: it takes the place of another."
  type        = bool
  default     = false
  nullable    = false
}

variable "alarms" {
  description = "Alarms, the SNS topics that hear of them, and when they go off: failed invocations of a function in 5 minutes, posts to connections that were gone in percent of all messages, and p99 of the time a message's function takes."
  type = object({
    enabled                = optional(bool, true)
    topic_arns             = optional(set(string), [])
    errors                 = optional(number, 5)
    gone_percent           = optional(number, 10)
    integration_latency_ms = optional(number, 5000)
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for arn in var.alarms.topic_arns : can(regex("^arn:[^:]+:sns:", arn))])
    error_message = "topic_arns are ARNs of SNS topics."
  }
}

variable "kms_key_arn" {
  description = "An existing KMS key for table, bucket, secret and logs, in place of AWS's own. Its policy must let the account's roles and `logs.<region>.amazonaws.com` use it."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:[^:]+:kms:[^:]+:[0-9]+:key/", var.kms_key_arn))
    error_message = "kms_key_arn is the ARN of a key, not of an alias."
  }
}

variable "deletion_protection" {
  description = "Refuse to delete the table, and the bucket while it holds objects. Set it to false and apply before `terraform destroy`."
  type        = bool
  default     = true
  nullable    = false
}

variable "secret_version" {
  description = "Raise it by one to replace the secret from which the functions derive their keys. Pulls under way at that moment fail; agents and callers keep their keys."
  type        = number
  default     = 1

  validation {
    condition     = var.secret_version >= 1 && floor(var.secret_version) == var.secret_version
    error_message = "secret_version is a whole number of at least 1."
  }
}

variable "tags" {
  description = "Tags of every resource that can have some."
  type        = map(string)
  default     = {}
  nullable    = false
}
