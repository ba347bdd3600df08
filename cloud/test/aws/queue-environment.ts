/** Variables of the http function, as the Terraform module sets them where nobody says otherwise. */
export const queueEnvironment = {
  PULLWIRE_QUEUE_DEFAULT_MS: '86400000',
  PULLWIRE_QUEUE_KEEP_MS: '86400000',
  PULLWIRE_QUEUE_MAX_MS: '604800000',
  PULLWIRE_QUEUE_PER_CALLER: '1000',
  PULLWIRE_QUEUE_PER_DEVICE: '100',
} as const;
