/** How far a pull came when it ended, in the order of its path. */
export const stages = [
  'caller-auth',
  'grant',
  'lookup',
  'send',
  'agent-accept',
  'policy',
  'upstream-connect',
  'upstream',
  'stream',
  'deadline',
] as const;
export type Stage = (typeof stages)[number];

export interface ErrorRule {
  /** HTTP status of the answer (RFC 9110 §15); 499 never leaves the relay. */
  readonly status: number;
  /** Whose fault it usually is: the side that should change something. */
  readonly fault: 'caller' | 'relay' | 'agent' | 'upstream' | 'network';
  /** Whether the upstream may have acted on the request. `no`: a retry is safe with any method. */
  readonly executed: 'no' | 'maybe';
  /** For people: what happened, as a problem's `title` (RFC 9457 §3.1.3). */
  readonly title: string;
}

const rule = (
  status: number,
  fault: ErrorRule['fault'],
  executed: ErrorRule['executed'],
  title: string,
): ErrorRule => ({ status, fault, executed, title });

/** The closed set of error codes: public API. Each has a heading in docs/errors.md. */
export const errorCodes = {
  // The request itself
  'bad-request': rule(400, 'caller', 'no', 'The request is malformed'),
  'route-unknown': rule(404, 'caller', 'no', 'No such route'),
  'method-not-allowed': rule(405, 'caller', 'no', 'The route does not take this method'),
  'not-acceptable': rule(406, 'caller', 'no', 'Accept takes nothing of what is here'),
  'request-head-too-large': rule(431, 'caller', 'no', 'The request head is too large'),
  'request-body-too-large': rule(413, 'caller', 'maybe', 'The request body is too large'),
  'request-body-broken': rule(400, 'caller', 'maybe', 'The request body ended too early'),
  'request-timeout': rule(408, 'caller', 'no', 'The request took too long to come'),
  'expectation-failed': rule(417, 'caller', 'no', 'The expectation cannot be met'),
  'upgrade-required': rule(426, 'caller', 'no', 'This is where agents connect by WebSocket'),
  'upgrade-not-supported': rule(501, 'caller', 'no', 'Upgrades cannot be tunnelled'),
  // caller-auth, grant, lookup
  'link-unauthenticated': rule(401, 'agent', 'no', 'A valid handshake token is required'),
  'device-revoked': rule(403, 'agent', 'no', 'The device was revoked'),
  'enrolment-refused': rule(401, 'agent', 'no', 'A valid enrolment code is required'),
  'device-taken': rule(409, 'agent', 'no', 'The device is known with another key'),
  'too-many-attempts': rule(429, 'caller', 'no', 'Too many attempts have failed'),
  'caller-busy': rule(
    429,
    'caller',
    'no',
    'The caller has too many pulls in flight, or event streams open',
  ),
  'caller-unauthenticated': rule(401, 'caller', 'no', 'A valid caller key is required'),
  'not-found': rule(404, 'caller', 'no', 'No such device or source, or no grant for it'),
  'method-not-granted': rule(403, 'caller', 'no', 'The grant does not cover this method'),
  'source-unknown': rule(404, 'caller', 'no', 'The device has no such source'),
  'device-offline': rule(503, 'network', 'no', 'The device is offline'),
  'not-stored': rule(504, 'caller', 'no', 'Nothing that is stored may be the answer'),
  'registry-unavailable': rule(503, 'relay', 'no', 'The registry cannot be read'),
  'channel-unavailable': rule(503, 'relay', 'no', 'The relay cannot open its reply channel'),
  'relay-full': rule(
    503,
    'relay',
    'no',
    'The relay holds as many links, or event streams, as it may',
  ),
  'relay-overloaded': rule(503, 'relay', 'no', 'The relay has more to do than it can take on'),
  'relay-draining': rule(503, 'relay', 'no', 'The relay is shutting down'),
  'relay-error': rule(500, 'relay', 'maybe', 'The relay failed'),
  // send
  'link-full': rule(503, 'network', 'no', 'Too many pulls wait for the link'),
  'link-lost': rule(502, 'network', 'maybe', 'The link to the device was lost'),
  // agent-accept
  busy: rule(429, 'agent', 'no', 'The device has too many pulls in flight'),
  'rate-limited': rule(429, 'agent', 'no', 'The rate limit of the source is reached'),
  'agent-draining': rule(503, 'agent', 'no', 'The agent is shutting down'),
  'agent-error': rule(502, 'agent', 'maybe', 'The agent failed'),
  'protocol-error': rule(502, 'agent', 'maybe', 'The agent broke the protocol'),
  // policy
  'refused-by-policy': rule(403, 'caller', 'no', 'The policy of the device refuses this'),
  'path-refused': rule(400, 'caller', 'no', 'The path could leave its prefix'),
  'parameter-refused': rule(400, 'caller', 'no', 'A parameter is unknown or not valid'),
  // upstream-connect
  'upstream-unreachable': rule(502, 'upstream', 'no', 'The upstream cannot be reached'),
  'upstream-connect-timeout': rule(504, 'upstream', 'no', 'The upstream took too long to connect'),
  'upstream-tls': rule(502, 'upstream', 'no', 'The TLS handshake with the upstream failed'),
  // upstream
  'source-not-found': rule(404, 'caller', 'no', 'The source has nothing at this path'),
  'source-failed': rule(502, 'upstream', 'maybe', 'The source failed'),
  'upstream-failed': rule(502, 'upstream', 'maybe', 'The upstream broke the exchange'),
  'upstream-timeout': rule(504, 'upstream', 'maybe', 'The upstream took too long to answer'),
  'reply-head-too-large': rule(502, 'upstream', 'maybe', 'The head of the reply is too large'),
  'reply-too-large': rule(502, 'upstream', 'maybe', 'The reply is larger than the policy allows'),
  'command-failed': rule(502, 'upstream', 'maybe', 'The command failed'),
  // stream, deadline
  'reply-broken': rule(502, 'upstream', 'maybe', 'The reply broke off'),
  'reply-not-stored': rule(502, 'network', 'maybe', 'The reply did not come through storage'),
  'idle-timeout': rule(504, 'network', 'maybe', 'Nothing moved for too long'),
  'stream-limit': rule(504, 'relay', 'maybe', 'The reply took longer than this host may stream'),
  'deadline-exceeded': rule(504, 'network', 'maybe', 'The deadline passed before a reply began'),
  'caller-left': rule(499, 'caller', 'maybe', 'The caller left'),
  // Queued pulls
  'pull-unknown': rule(404, 'caller', 'no', 'The caller has no such queued pull'),
  'queue-full': rule(429, 'caller', 'no', 'Too many pulls are queued'),
  'pull-pending': rule(409, 'caller', 'no', 'The queued pull has no result yet'),
  'pull-expired': rule(504, 'network', 'no', 'The device did not come in time'),
  'pull-cancelled': rule(410, 'caller', 'maybe', 'The caller cancelled the queued pull'),
  'outcome-unknown': rule(502, 'network', 'maybe', 'Nobody knows what became of the pull'),
  // Readings
  'reading-unknown': rule(404, 'caller', 'no', 'Nothing is stored of this'),
  // Request bodies by object storage
  'upload-unknown': rule(404, 'caller', 'no', 'The caller has no such upload'),
  'upload-missing': rule(409, 'caller', 'no', 'Nothing was put for the upload yet'),
  'upload-spent': rule(410, 'caller', 'maybe', 'The upload was used or has expired'),
  'upload-broken': rule(502, 'network', 'maybe', 'The uploaded body could not be read'),
  'storage-unavailable': rule(503, 'relay', 'no', 'The object storage cannot be read'),
} as const satisfies Record<string, ErrorRule>;

export type ErrorCode = keyof typeof errorCodes;

export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorCodes, code);
}

export interface PullFaultInit {
  readonly detail: string;
  readonly retryAfterMs?: number;
  /** Extension members of the problem (RFC 9457 §3.2): an exit code, the end of stderr. */
  readonly extra?: Readonly<Record<string, string | number>>;
  readonly cause?: unknown;
}

/** The one error of a pull: what happened (`code`), how far it came (`stage`), and for people, `message`. */
export class PullFault extends Error {
  override readonly name = 'PullFault';
  readonly code: ErrorCode;
  readonly stage: Stage;
  readonly retryAfterMs: number | undefined;
  readonly extra: Readonly<Record<string, string | number>> | undefined;

  constructor(code: ErrorCode, stage: Stage, init: PullFaultInit) {
    super(init.detail, init.cause === undefined ? undefined : { cause: init.cause });
    this.code = code;
    this.stage = stage;
    this.retryAfterMs = init.retryAfterMs;
    this.extra = init.extra;
  }

  get status(): number {
    return errorCodes[this.code].status;
  }
}

/** Idempotent methods (RFC 9110 §9.2.2). */
const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE', 'QUERY']);

/** Whether the same request may be sent again without the risk of acting twice. */
export function isRetrySafe(code: ErrorCode, method: string): boolean {
  return errorCodes[code].executed === 'no' || idempotent.has(method);
}
