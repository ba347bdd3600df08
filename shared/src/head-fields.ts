import { headLimitBytes } from './limit.ts';
import type { HeaderList } from './message.ts';
import { refuse, refuseSize } from './wire-error.ts';

/** A field name is a token (RFC 9110 §5.1, §5.6.2). */
const tokenCharacters = /[!#$%&'*+\-.^_`|~0-9A-Za-z]/;
/** What a field value holds (RFC 9110 §5.5): no controls but HTAB; and nothing beyond Latin-1. */
const valueCharacters = /[\t\x20-\x7e\x80-\xff]/;
/** Tables, since a loop over a short text costs half of what a regular expression does, and each pull has dozens. */
const isTokenCode = tableOf(tokenCharacters);
const isValueCode = tableOf(valueCharacters);
const path = /^\/[\x21\x22\x24-\x3e\x40-\x7e\x80-\xff]*$/;
const query = /^[\x21\x22\x24-\x7e\x80-\xff]*$/;
const reasonLimit = 256;

/**
 * Names and values in turn, as HTTP allows them. `otherBytes` is what else counts as head: path and query.
 * Values may be secrets, so that an error names the place only.
 */
export function checkHeaders(value: unknown, field: string, otherBytes = 0): HeaderList {
  if (!Array.isArray(value) || value.length % 2 !== 0) {
    refuse(field, 'a list of names and values in turn');
  }
  let bytes = otherBytes;
  for (let i = 0; i < value.length; i += 2) {
    const name: unknown = value[i];
    const text: unknown = value[i + 1];
    if (typeof name !== 'string' || !isToken(name)) {
      refuse(`${field}[${i}]`, 'a field name (RFC 9110, 5.1)');
    }
    if (typeof text !== 'string' || !isValue(text)) {
      refuse(`${field}[${i + 1}]`, 'a field value in Latin-1 without control characters');
    }
    bytes += name.length + text.length + 4;
  }
  if (bytes > headLimitBytes) refuseSize('head', bytes, headLimitBytes);
  return value;
}

/** Raw, as the caller sent it: neither a fragment nor a query, no spaces, no controls (RFC 9112 §3.2). */
export function checkPath(value: unknown): string {
  if (typeof value !== 'string' || !path.test(value)) {
    refuse(
      'path',
      "a raw path that begins with '/', without '?', '#', spaces and control characters",
    );
  }
  return value;
}

export function checkQuery(value: unknown): string {
  if (typeof value !== 'string' || !query.test(value)) {
    refuse('query', "a raw query without '#', spaces and control characters");
  }
  return value;
}

/** A reason phrase (RFC 9112 §4). */
export function checkReason(value: unknown): string {
  if (typeof value !== 'string' || value.length > reasonLimit || !isValue(value)) {
    refuse('reason', `at most ${reasonLimit} characters of Latin-1 without control characters`);
  }
  return value;
}

export function checkStatus(value: unknown): number {
  if (!Number.isInteger(value) || (value as number) < 200 || (value as number) > 599) {
    refuse('status', 'a final status from 200 to 599');
  }
  return value as number;
}

/** By code, 1 where the character is allowed. */
function tableOf(characters: RegExp): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, code) =>
    characters.test(String.fromCharCode(code)) ? 1 : 0,
  );
}

function isToken(text: string): boolean {
  return text.length > 0 && holdsOnly(text, isTokenCode);
}

function isValue(text: string): boolean {
  return holdsOnly(text, isValueCode);
}

function holdsOnly(text: string, table: Uint8Array): boolean {
  for (let i = 0; i < text.length; i += 1) if (table[text.charCodeAt(i)] !== 1) return false;
  return true;
}
