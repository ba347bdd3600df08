/** How a peer takes a `bye`: `final` ends the agent, `rarely` waits minutes, the others use the usual back-off. */
export interface ByeRule {
  readonly close: number;
  readonly redial: 'backoff' | 'rarely' | 'final';
}

/** Each `bye` with its WebSocket close code (RFC 6455 §7.4; 4000–4999 are private use). PROTOCOL.md, "Closing". */
export const byeCodes = {
  shutdown: { close: 1001, redial: 'backoff' },
  drained: { close: 1000, redial: 'backoff' },
  'end-of-life': { close: 1001, redial: 'backoff' },
  replaced: { close: 4002, redial: 'rarely' },
  revoked: { close: 4001, redial: 'final' },
  'unsupported-version': { close: 4003, redial: 'final' },
  'device-mismatch': { close: 4004, redial: 'final' },
  'protocol-error': { close: 1002, redial: 'backoff' },
  'too-many-messages': { close: 1008, redial: 'rarely' },
  'too-large': { close: 1009, redial: 'backoff' },
  'hello-timeout': { close: 4006, redial: 'backoff' },
  idle: { close: 4007, redial: 'backoff' },
  'internal-error': { close: 1011, redial: 'backoff' },
} as const satisfies Record<string, ByeRule>;

export type ByeCode = keyof typeof byeCodes;

/** The rule for a code from the wire; one that we do not know means back-off. */
export function byeRule(code: string): ByeRule {
  return Object.hasOwn(byeCodes, code)
    ? byeCodes[code as ByeCode]
    : { close: 1000, redial: 'backoff' };
}
