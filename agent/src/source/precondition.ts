import { fieldList, type HeaderList, headerValue, parseHttpDate } from '@pullwire/shared';

/** The validators of what would be sent. */
export interface Version {
  /** Strong, with its quotes. */
  readonly etag: string;
  /** Seconds since the epoch. */
  readonly modified: number;
}

const entityTag = /(W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g;

/**
 * Evaluates the conditions of a GET or HEAD in the order of RFC 9110 §13.2.2: undefined where the request goes on, or
 * the status that answers it. `If-Range` is for the range alone (`allowsRange`).
 */
export function preconditionStatus(
  headers: HeaderList,
  version: Version,
  wallMs: number,
): 304 | 412 | undefined {
  const ifMatch = fieldList(headers, 'if-match');
  if (ifMatch !== undefined) {
    if (!matchesStrongly(ifMatch, version.etag)) return 412;
  } else if (isModifiedSince(headers, 'if-unmodified-since', version, wallMs) === true) {
    return 412;
  }
  const ifNoneMatch = fieldList(headers, 'if-none-match');
  if (ifNoneMatch !== undefined) return matchesWeakly(ifNoneMatch, version.etag) ? 304 : undefined;
  return isModifiedSince(headers, 'if-modified-since', version, wallMs) === false ? 304 : undefined;
}

/**
 * Whether `If-Range` lets the range through (RFC 9110 §13.1.5). Only our own entity tag does: who has one must not send
 * a date, and a date is too coarse to be a strong validator.
 */
export function allowsRange(headers: HeaderList, version: Version): boolean {
  const ifRange = headerValue(headers, 'if-range');
  return ifRange === undefined || ifRange === version.etag;
}

/** Undefined where the field is absent or is not a date, and so is ignored (RFC 9110 §13.1.3, §13.1.4). */
function isModifiedSince(
  headers: HeaderList,
  name: string,
  version: Version,
  wallMs: number,
): boolean | undefined {
  const value = headerValue(headers, name);
  const since = value === undefined ? undefined : parseHttpDate(value, wallMs);
  return since === undefined ? undefined : version.modified > since;
}

function matchesStrongly(list: string, etag: string): boolean {
  if (list === '*') return true;
  return [...list.matchAll(entityTag)].some(([, weak, tag]) => weak === undefined && tag === etag);
}

function matchesWeakly(list: string, etag: string): boolean {
  return list === '*' || [...list.matchAll(entityTag)].some(([, , tag]) => tag === etag);
}
