/** "Amazon API Gateway quotas", WebSocket APIs. Bytes and milliseconds. */
export const gatewayLimit = {
  frameBytes: 32 * 1024,
  messageBytes: 128 * 1024,
  idleMs: 10 * 60_000,
  lifeMs: 2 * 60 * 60_000,
  contextBytes: 8 * 1024,
  /** One billed message. */
  unitBytes: 32 * 1024,
} as const;
