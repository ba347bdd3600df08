import {
  type HeaderList,
  headBytes,
  headerValue,
  headLimitBytes,
  PullFault,
} from '@pullwire/shared';
import type { HttpUpstream } from './http-upstream.ts';

/**
 * Why a reply is not passed on, by its head alone. `rawHeaders` are those of the connection, `headers` those that are
 * passed on.
 */
export function headFault(
  method: string,
  status: number,
  rawHeaders: HeaderList,
  headers: HeaderList,
  upstream: HttpUpstream,
): PullFault | undefined {
  const where = `source "${upstream.name}" (${upstream.label})`;
  if (status > 599) {
    const detail = `${where} answered with status ${status}, which HTTP does not have`;
    return new PullFault('upstream-failed', 'upstream', { detail });
  }
  if (headBytes(headers) > headLimitBytes) {
    const detail = `the head of the reply of ${where} is larger than ${headLimitBytes} bytes`;
    return new PullFault('reply-head-too-large', 'upstream', { detail });
  }
  // Whoever strips the field has to undo the coding, and we asked for none (RFC 9112 §6.1).
  const coding = headerValue(rawHeaders, 'transfer-encoding');
  if (coding !== undefined && !/^\s*(?:chunked|identity)\s*$/i.test(coding)) {
    const detail = `${where} answered with a transfer coding that was not asked for`;
    return new PullFault('upstream-failed', 'upstream', { detail });
  }
  return declaresTooMuch(method, status, headers, upstream)
    ? tooLargeFault(upstream, 'upstream')
    : undefined;
}

export function tooLargeFault(upstream: HttpUpstream, stage: 'upstream' | 'stream'): PullFault {
  const { name, limits } = upstream;
  const detail = `the reply is larger than the ${limits.replyBytes} bytes that source "${name}" allows (limits.replyBytes)`;
  return new PullFault('reply-too-large', stage, { detail });
}

/** A HEAD, a 204 and a 304 have no body, whatever they declare (RFC 9110 §6.4.1). */
function declaresTooMuch(
  method: string,
  status: number,
  headers: HeaderList,
  { limits }: HttpUpstream,
): boolean {
  if (limits.replyBytes === null) return false;
  if (method === 'HEAD' || status === 204 || status === 304) return false;
  return Number(headerValue(headers, 'content-length') ?? 0) > limits.replyBytes;
}
