import { fieldList, type HeaderList, headerValue, parseHttpDate } from '@pullwire/shared';

const entityTag = /(?:W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g;

/** A condition that only the upstream can check (RFC 9111 §4.3.2); undefined where there is none. */
export function upstreamsCondition(request: HeaderList): string | undefined {
  return ['if-match', 'if-unmodified-since'].find(
    (name) => headerValue(request, name) !== undefined,
  );
}

/**
 * Whether the caller has this answer already (RFC 9111 §4.3.2). `at`: when it was stored, in epoch milliseconds; it stands
 * in for what the upstream does not say.
 */
export function isNotModified(request: HeaderList, stored: HeaderList, at: number): boolean {
  const ifNoneMatch = fieldList(request, 'if-none-match');
  if (ifNoneMatch !== undefined) return isListed(ifNoneMatch, headerValue(stored, 'etag'));
  const since = dateOf(request, 'if-modified-since', at);
  if (since === undefined) return false;
  return (dateOf(stored, 'last-modified', at) ?? dateOf(stored, 'date', at) ?? at / 1_000) <= since;
}

/** The weak comparison (RFC 9110 §8.8.3.2). */
function isListed(list: string, etag: string | undefined): boolean {
  if (list === '*') return true;
  const own = [...(etag ?? '').matchAll(entityTag)][0]?.[1];
  return own !== undefined && [...list.matchAll(entityTag)].some(([, tag]) => tag === own);
}

function dateOf(headers: HeaderList, name: string, at: number): number | undefined {
  const value = headerValue(headers, name);
  return value === undefined ? undefined : parseHttpDate(value.trim(), at);
}
