import { Buffer } from 'node:buffer';
import { replyToLimitBytes } from './limit.ts';
import { refuse, refuseSize } from './wire-error.ts';

/** A JSON object from the wire: nothing about it is known yet. */
export type Fields = Readonly<Record<string, unknown>>;

/** Bounds that keep what a peer says about itself short (PROTOCOL.md, "Limits"). */
export const nameLimit = 64;
export const valueLimit = 256;

const control = /\p{Cc}/u;
const visibleAscii = /^[\x21-\x7e]+$/;
const code = /^[a-z][a-z0-9-]{0,63}$/;
const maxSeq = 0xffff_ffff;
const maxBudget = 0x7fff_ffff;

export function checkObject(value: unknown, field: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    refuse(field, 'an object');
  }
  return value as Fields;
}

export function checkList(value: unknown, field: string, limit: number): readonly unknown[] {
  if (!Array.isArray(value) || value.length > limit) {
    refuse(field, `a list of at most ${limit} entries`);
  }
  return value;
}

/** Text for people and labels: no control characters. */
export function checkText(value: unknown, field: string, limit: number): string {
  if (typeof value !== 'string' || value.length > limit || control.test(value)) {
    refuse(field, `text of at most ${limit} characters, none of them a control character`);
  }
  return value;
}

/** A name of something: not empty. */
export function checkName(value: unknown, field: string): string {
  const name = checkText(value, field, nameLimit);
  if (name === '') refuse(field, 'a name');
  return name;
}

export function checkPattern(value: unknown, field: string, pattern: RegExp): string {
  if (typeof value !== 'string' || !pattern.test(value)) refuse(field, `text like ${pattern}`);
  return value;
}

/** The code of a `fault` or `bye`: one that only a newer peer knows passes too. */
export function checkCode(value: unknown): string {
  return checkPattern(value, 'code', code);
}

/** A count: of bytes or pulls. */
export function checkCount(value: unknown, field: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) {
    refuse(field, 'a whole number from 0 to 2^53 - 1');
  }
  return value as number;
}

/** A budget of time in ms. Timers of many systems hold 31 bits, and take more as nothing (Node: `setTimeout`). */
export function checkBudget(value: unknown, field: string): number {
  if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > maxBudget) {
    refuse(field, 'whole milliseconds from 0 to 2^31 - 1');
  }
  return value as number;
}

/** A measured time. */
export function checkMilliseconds(value: unknown, field: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) {
    refuse(field, 'a number of milliseconds, not negative');
  }
  return value;
}

/** The number of a frame after the first: the first is a `pull` or a `head`. */
export function checkSeq(value: unknown): number {
  if (!Number.isInteger(value) || (value as number) < 1 || (value as number) > maxSeq) {
    refuse('seq', 'a whole number from 1 to 2^32 - 1');
  }
  return value as number;
}

export function checkFirstSeq(value: unknown): 0 {
  if (value !== 0) refuse('seq', '0');
  return 0;
}

/** Absent means false. */
export function checkEnd(value: unknown): boolean {
  if (value === undefined) return false;
  if (typeof value !== 'boolean') refuse('end', 'true or false');
  return value;
}

export function checkReplyTo(value: unknown): string {
  if (typeof value !== 'string' || !visibleAscii.test(value)) {
    refuse('replyTo', 'visible ASCII characters');
  }
  if (value.length > replyToLimitBytes) refuseSize('replyTo', value.length, replyToLimitBytes);
  return value;
}

/** Strict base64: padded and canonical (RFC 4648 §3.5, §4). */
export function checkBase64(value: unknown, limit: number): Buffer {
  if (typeof value !== 'string') refuse('body', 'text in base64');
  const bytes = Buffer.from(value, 'base64');
  // Node's decoder takes anything; both ways of this comparison are vectorised, a regular expression is not.
  if (bytes.toString('base64') !== value) refuse('body', 'padded base64 (RFC 4648, 4)');
  if (bytes.length > limit) refuseSize('body', bytes.length, limit);
  return bytes;
}
