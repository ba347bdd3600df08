import { endToEndHeaders, type Head, type HeaderList } from '@pullwire/shared';

/** RFC 9110 §7.6.3; a pseudonym, since the relay's own host name is nobody's business. */
export const via = ['Via', '1.1 pullwire'] as const;

/** The header that carried the relay's credential. */
export type CredentialHeader = 'pullwire-key' | 'authorization';

/**
 * What of a caller's headers goes to the device: all that is end to end, without the relay's credential (only the
 * header that carried it) and without `Host`, which names the relay.
 */
export function requestHeaders(headers: HeaderList, credential: CredentialHeader): string[] {
  const kept = endToEndHeaders(headers, (name) => name === credential || name === 'host');
  kept.push(...via);
  return kept;
}

/** Names the upload that is the request's body. */
export const uploadHeader = 'pullwire-upload';

/** The same for a request whose body was uploaded: that body's length, and without the header that named it. */
export function uploadedRequestHeaders(
  headers: HeaderList,
  credential: CredentialHeader,
  length: number,
): string[] {
  const replaced = new Set<string>([credential, 'host', 'content-length', uploadHeader]);
  const kept = endToEndHeaders(headers, (name) => replaced.has(name));
  kept.push('Content-Length', String(length), ...via);
  return kept;
}

const notUpstreams = (name: string): boolean => name.startsWith('pullwire-');
const notUpstreamsNorTrailer = (name: string): boolean => notUpstreams(name) || name === 'trailer';
const notFor204 = (name: string): boolean =>
  notUpstreamsNorTrailer(name) || name === 'content-length'; // RFC 9110 §8.6

export interface ReplyContext {
  readonly pullId: string;
  /** Whether trailers can follow; else nothing announces them. */
  readonly trailers: boolean;
  /** Milliseconds from the request to its reply's head, at the relay. */
  readonly totalMs: number;
}

/** What of a reply's headers goes to the caller, and what the relay says besides. */
export function replyHeaders(head: Head, context: ReplyContext): string[] {
  const drop =
    head.status === 204 ? notFor204 : context.trailers ? notUpstreams : notUpstreamsNorTrailer;
  const headers = endToEndHeaders(head.headers, drop);
  headers.push(
    ...via,
    'Pullwire-Answered-By',
    'upstream',
    'Pullwire-Pull',
    context.pullId,
    'Server-Timing',
    serverTiming(head, context.totalMs),
  );
  return headers;
}

/** Where the time went, in milliseconds (Server-Timing, W3C): all of it, the agent's part, the upstream's part. */
function serverTiming(head: Head, totalMs: number): string {
  const total = `total;dur=${totalMs.toFixed(1)}`;
  if (head.timing === undefined) return total;
  const { agentMs, upstreamMs } = head.timing;
  return `${total}, agent;dur=${agentMs.toFixed(1)}, upstream;dur=${upstreamMs.toFixed(1)}`;
}

/** Whether a reply to `method` with `status` has a body (RFC 9110 §6.4.1). */
export function hasReplyBody(method: string, status: number): boolean {
  return method !== 'HEAD' && status !== 204 && status !== 304;
}
