import { endToEndHeaders, headerValue, PullFault } from '@pullwire/shared';
import { credentialOf } from '../auth/caller-credential.ts';
import { hashCallerKey, isCallerKey } from '../auth/caller-key.ts';
import type { Exchange } from '../http/exchange.ts';
import { otherPreferences } from '../http/prefer.ts';
import { requestHeaders, uploadHeader } from '../http/pull-headers.ts';
import type { GrantedRequest } from '../pull/granted-request.ts';
import type { ArrivedRequest } from './arriving-request.ts';
import type { QueueSettings } from './queue-settings.ts';
import { checkHead } from './queued-frame.ts';
import type { QueuedPull } from './queued-pull.ts';

/** Seconds that the pull may wait for its device. */
const deadlineHeader = 'pullwire-deadline';

export interface QueuedRequestTerms {
  readonly settings: QueueSettings;
  /** Milliseconds that its reply may take. */
  readonly answerMs: number;
  readonly id: string;
  readonly queuedAt: number;
}

/** What of a granted request is queued, without its body. Throws `PullFault`. */
export function queuedRequest(
  { exchange, route, caller, device }: GrantedRequest,
  { settings, answerMs, id, queuedAt }: QueuedRequestTerms,
): QueuedPull {
  const deadlineAt = queuedAt + deadlineMs(exchange, settings);
  const keyHash = keyHashOf(exchange);
  const { source, path, query } = route;
  const pull: QueuedPull = {
    device: device.device,
    id,
    owner: caller.id,
    caller: caller.name,
    ...(keyHash === undefined ? undefined : { keyHash }),
    source,
    method: exchange.method,
    path,
    ...(query === undefined ? undefined : { query }),
    headers: headersOf(exchange, caller.credential),
    body: new Uint8Array(0),
    queuedAt,
    deadlineAt,
    answerMs,
    keepMs: settings.keepMs,
    keptUntil: deadlineAt + answerMs + settings.keepMs,
    state: 'queued',
    sends: 0,
  };
  checkHead(pull);
  return pull;
}

/** The same with its body, as that was kept; `declared`: the request said its length, which may be 0. */
export function withBody(
  pull: QueuedPull,
  { bytes, body }: ArrivedRequest,
  declared: boolean,
): QueuedPull {
  const length = declared || bytes > 0 ? ['Content-Length', String(bytes)] : [];
  const headers = [...pull.headers, ...length];
  return { ...pull, headers, ...(body === undefined ? { besideBytes: bytes } : { body }) };
}

function deadlineMs({ headers }: Exchange, { defaultMs, maxMs }: QueueSettings): number {
  const text = headerValue(headers, deadlineHeader);
  if (text === undefined) return Math.min(defaultMs, maxMs);
  if (/^[1-9]\d{0,8}$/.test(text)) return Math.min(Number(text) * 1_000, maxMs);
  throw new PullFault('bad-request', 'lookup', {
    detail: 'Pullwire-Deadline must be a whole number of seconds, 1 or more',
  });
}

/** By it the key's grants are read again when the pull is sent. */
function keyHashOf({ headers }: Exchange): string | undefined {
  const { text } = credentialOf(headers);
  return isCallerKey(text) ? hashCallerKey(text) : undefined;
}

/** What goes to the upstream: the relay has honoured the wish for an answer later, and reads the whole body. */
function headersOf(
  { headers }: Exchange,
  credential: GrantedRequest['caller']['credential'],
): string[] {
  const kept = endToEndHeaders(requestHeaders(headers, credential), (name) => ours.has(name));
  const prefer = otherPreferences(headers);
  if (prefer !== undefined) kept.push('Prefer', prefer);
  return kept;
}

const ours: ReadonlySet<string> = new Set([
  ...['prefer', deadlineHeader, uploadHeader],
  ...['content-length', 'expect', 'trailer'],
]);
