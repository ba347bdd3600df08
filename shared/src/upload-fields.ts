import type { Draft, Envelope } from './envelope.ts';
import { checkCount, checkList, checkObject, checkPattern, checkReplyTo } from './field.ts';
import { checkHeaders } from './head-fields.ts';
import { partLimit, urlLimit } from './limit.ts';
import type { Complete, Put, Upload, UploadedPart } from './message.ts';
import { checkPullId } from './pull-id.ts';
import { refuse } from './wire-error.ts';

const sha256 = /^[0-9a-f]{64}$/;
const etag = /^[\x21-\x7e]{1,128}$/;
const webUrl = /^https?:\/\/[\x21-\x7e]+$/;

export function readUpload({ pullId, replyTo, fields }: Envelope): Upload {
  return {
    action: 'upload',
    pullId: checkPullId(pullId),
    replyTo: checkReplyTo(replyTo),
    part: checkPart(fields.part),
    length: checkPartLength(fields.length, fields.more === true),
    sha256: checkPattern(fields.sha256, 'sha256', sha256),
    more: typeof fields.more === 'boolean' ? fields.more : refuse('more', 'true or false'),
  };
}

export function readPut({ pullId, fields }: Envelope): Put {
  return {
    action: 'put',
    pullId: checkPullId(pullId),
    part: checkPart(fields.part),
    url: checkUrl(fields.url),
    headers: checkHeaders(fields.headers, 'headers'),
  };
}

export function readComplete({ pullId, replyTo, fields }: Envelope): Complete {
  const complete: Draft<Complete> = {
    action: 'complete',
    pullId: checkPullId(pullId),
    replyTo: checkReplyTo(replyTo),
    parts: readParts(fields.parts),
    length: checkCount(fields.length, 'length'),
  };
  if (fields.trailers !== undefined) complete.trailers = checkHeaders(fields.trailers, 'trailers');
  return complete;
}

export function readParts(value: unknown): readonly UploadedPart[] {
  const parts = checkList(value, 'parts', partLimit.count).map(readPart);
  return parts.length === 0 ? refuse('parts', 'at least one') : parts;
}

function readPart(value: unknown, index: number): UploadedPart {
  const { part, etag: tag } = checkObject(value, `parts[${index}]`);
  if (part !== index + 1) refuse(`parts[${index}].part`, String(index + 1));
  return { part: index + 1, etag: checkPattern(tag, `parts[${index}].etag`, etag) };
}

function checkPart(value: unknown): number {
  if (!Number.isInteger(value) || (value as number) < 1 || (value as number) > partLimit.count) {
    refuse('part', `a whole number from 1 to ${partLimit.count}`);
  }
  return value as number;
}

function checkPartLength(value: unknown, more: boolean): number {
  const length = checkCount(value, 'length');
  const least = more ? partLimit.leastBytes : 1;
  if (length < least || length > partLimit.bytes) {
    refuse('length', `from ${least} to ${partLimit.bytes}`);
  }
  return length;
}

/** The value is not repeated, since it is signed and so a secret. */
export function checkUrl(value: unknown): string {
  if (typeof value !== 'string' || value.length > urlLimit || !webUrl.test(value)) {
    refuse('url', `an http or https URL of at most ${urlLimit} characters`);
  }
  return value;
}
