import type { BigIntStats } from 'node:fs';
import { formatHttpDate, type HeaderList, headerValue } from '@pullwire/shared';
import mime from 'mime';
import { type ByteRange, parseByteRange } from './byte-range.ts';
import { allowsRange, preconditionStatus, type Version } from './precondition.ts';
import type { SourceRequest } from './source.ts';

/** What a file's reply says, and which of its bytes follow. */
export interface FileAnswer {
  readonly status: number;
  readonly headers: HeaderList;
  /** Undefined: none. */
  readonly bytes: ByteRange | undefined;
}

/** The validators of a file as it is now. Size, time to the nanosecond and inode: no other content has the same. */
function versionOf(stat: BigIntStats): Version {
  const parts = [stat.size, stat.mtimeNs, stat.ino].map((part) => part.toString(16));
  return { etag: `"${parts.join('-')}"`, modified: Number(stat.mtimeNs / 1_000_000_000n) };
}

/**
 * The answer to a GET or HEAD of a file: conditions first, then the range (RFC 9110 §13.2.2, §14.2). `tailStart` is where
 * the lines of `?tail=N` begin; ranges of them are not offered, since they move as the file grows.
 */
export function answerFile(
  request: SourceRequest,
  stat: BigIntStats,
  tailStart: number | undefined,
  wallMs: number,
): FileAnswer {
  const version = versionOf(stat);
  const validators = validatorsOf(version, wallMs);
  const status = preconditionStatus(request.headers, version, wallMs);
  if (status === 304) return { status, headers: validators, bytes: undefined };
  if (status === 412) return { status, headers: ['Content-Length', '0'], bytes: undefined };
  const size = Number(stat.size);
  const type = mime.getType(request.segments.at(-1) ?? '') ?? 'application/octet-stream';
  if (tailStart !== undefined) {
    return whole(request, { start: tailStart, end: size }, ['Content-Type', type, ...validators]);
  }
  const described = ['Content-Type', type, 'Accept-Ranges', 'bytes', ...validators];
  const range = rangeOf(request, size, version);
  if (range === undefined) return whole(request, { start: 0, end: size }, described);
  return range === 'unsatisfiable' ? unsatisfiable(size) : part(range, size, described);
}

/** A time in the future is not sent: `Last-Modified` is never later than `Date` (RFC 9110 §8.8.2.1). */
function validatorsOf({ etag, modified }: Version, wallMs: number): HeaderList {
  const seconds = Math.min(modified, Math.floor(wallMs / 1_000));
  return ['Last-Modified', formatHttpDate(seconds), 'ETag', etag];
}

function rangeOf(
  { method, headers }: SourceRequest,
  size: number,
  version: Version,
): ByteRange | 'unsatisfiable' | undefined {
  const field = headerValue(headers, 'range');
  if (method !== 'GET' || field === undefined || !allowsRange(headers, version)) return undefined;
  return parseByteRange(field, size);
}

function whole({ method }: SourceRequest, bytes: ByteRange, described: HeaderList): FileAnswer {
  const headers = [...described, 'Content-Length', String(bytes.end - bytes.start)];
  return { status: 200, headers, bytes: method === 'HEAD' ? undefined : bytes };
}

function part(bytes: ByteRange, size: number, described: HeaderList): FileAnswer {
  const contentRange = `bytes ${bytes.start}-${bytes.end - 1}/${size}`;
  const length = String(bytes.end - bytes.start);
  const headers = [...described, 'Content-Range', contentRange, 'Content-Length', length];
  return { status: 206, headers, bytes };
}

function unsatisfiable(size: number): FileAnswer {
  const headers = ['Content-Range', `bytes */${size}`, 'Content-Length', '0'];
  return { status: 416, headers, bytes: undefined };
}
