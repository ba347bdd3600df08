import { type Clock, endToEndHeaders, headerValue, PullFault } from '@pullwire/shared';
import { credentialOf } from '../auth/caller-credential.ts';
import { hashCallerKey, isCallerKey } from '../auth/caller-key.ts';
import type { Exchange } from '../http/exchange.ts';
import { otherPreferences } from '../http/prefer.ts';
import { requestHeaders, uploadHeader } from '../http/pull-headers.ts';
import { readBody } from '../http/read-body.ts';
import type { GrantedRequest } from '../pull/granted-request.ts';
import type { QueueSettings } from './queue-settings.ts';
import { checkOneFrame } from './queued-frame.ts';
import type { QueuedPull } from './queued-pull.ts';

/** Seconds that the pull may wait for its device. */
const deadlineHeader = 'pullwire-deadline';

/** No body that fits one frame is larger; how much that is depends on the head. */
const bodyLimit = 32_768;

/** Milliseconds for a body of this size. */
const bodyMs = 20_000;

export interface QueuedRequestTerms {
  readonly settings: QueueSettings;
  /** Milliseconds that its reply may take. */
  readonly answerMs: number;
  readonly id: string;
  readonly queuedAt: number;
  readonly clock: Clock;
}

/** What of a granted request is queued. Rejects with `PullFault`. */
export async function queuedRequest(
  { exchange, route, caller, device }: GrantedRequest,
  { settings, answerMs, id, queuedAt, clock }: QueuedRequestTerms,
): Promise<QueuedPull> {
  if (headerValue(exchange.headers, uploadHeader) !== undefined) throw noUpload();
  const deadlineAt = queuedAt + deadlineMs(exchange, settings);
  const keyHash = keyHashOf(exchange);
  const body = await inTime(readBody(exchange, bodyLimit), clock);
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
    headers: headersOf(exchange, caller.credential, body),
    body,
    queuedAt,
    deadlineAt,
    answerMs,
    keepMs: settings.keepMs,
    keptUntil: deadlineAt + answerMs + settings.keepMs,
    state: 'queued',
    sends: 0,
  };
  checkOneFrame(pull);
  return pull;
}

/** The body, where it comes in time: a caller that sends it a byte a minute holds nothing here. */
function inTime(body: Promise<Buffer>, clock: Clock): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(bodyMs, () => {
      const detail = `the request body did not come within ${bodyMs / 1_000} s`;
      reject(new PullFault('request-timeout', 'lookup', { detail }));
    });
    body.then(resolve, reject).finally(() => timer.cancel());
  });
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

/** What goes to the upstream: the relay has honoured the wish for an answer later, and has read the whole body. */
function headersOf(
  { headers }: Exchange,
  credential: GrantedRequest['caller']['credential'],
  body: Uint8Array,
): string[] {
  const ours = new Set(['prefer', deadlineHeader, 'content-length', 'expect', 'trailer']);
  const kept = endToEndHeaders(requestHeaders(headers, credential), (name) => ours.has(name));
  const prefer = otherPreferences(headers);
  if (prefer !== undefined) kept.push('Prefer', prefer);
  const declared = headerValue(headers, 'content-length') !== undefined;
  if (declared || body.length > 0) kept.push('Content-Length', String(body.length));
  return kept;
}

function noUpload(): PullFault {
  return new PullFault('bad-request', 'lookup', {
    detail: 'a queued pull brings its body itself: leave out Pullwire-Upload, or respond-async',
  });
}
