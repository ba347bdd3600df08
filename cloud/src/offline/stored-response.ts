import { endToEndHeaders, formatHttpDate, type HeaderList, headerValue } from '@pullwire/shared';
import { hasReplyBody, via } from '../http/pull-headers.ts';
import { isNotModified } from './condition.ts';
import type { StoredAnswer } from './stored-answer.ts';

/** A stored answer as it goes out. */
export interface StoredResponse {
  readonly status: number;
  readonly headers: HeaderList;
  readonly hasBody: boolean;
}

export interface ResponseContext {
  readonly method: string;
  /** Of the request. */
  readonly headers: HeaderList;
  /** The relay's member of `Cache-Status`. */
  readonly cacheStatus: string;
  /** Of the pull that ended in an error. */
  readonly pullId: string | undefined;
}

/**
 * What is not the answer's any more: its framing, which is made anew, its age, what only the relay says, and cookies, which
 * were for the one who asked then.
 */
function isOver(name: string): boolean {
  return over.has(name) || name.startsWith('pullwire-');
}
const over = new Set(['age', 'content-length', 'set-cookie', 'trailer']);

/** Of a representation that is not sent with it, a 304 says no more than this (RFC 9110 §15.4.5). */
const notModified = new Set([
  ...[
    'cache-control',
    'cache-status',
    'content-location',
    'date',
    'etag',
    'expires',
    'vary',
    'via',
  ],
]);

export function storedResponse(
  { reading, freshness }: StoredAnswer,
  { method, headers: request, cacheStatus, pullId }: ResponseContext,
): StoredResponse {
  const { status = 200, headers: stored = [], at, length } = reading;
  const same = status === 200 && isNotModified(request, stored, at);
  const headers = endToEndHeaders(
    stored,
    (name) => isOver(name) || (same && !notModified.has(name)),
  );
  if (headerValue(stored, 'date') === undefined) headers.push('Date', formatHttpDate(at / 1_000));
  headers.push(...via, 'Age', String(freshness.ageSeconds), 'Cache-Status', cacheStatus);
  headers.push('Pullwire-Answered-By', 'upstream');
  if (pullId !== undefined) headers.push('Pullwire-Pull', pullId);
  if (!same && status !== 204) headers.push('Content-Length', String(length));
  const sent = same ? 304 : status;
  return { status: sent, headers, hasBody: hasReplyBody(method, sent) };
}
