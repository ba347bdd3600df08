import { Buffer } from 'node:buffer';
import type { Incoming } from './frame.ts';
import { frameLimits, metaLimitBytes, replyToLimitBytes } from './limit.ts';
import { refuse, refuseSize, WireError } from './wire-error.ts';

/** Where each field of the header stands (PROTOCOL.md, "Encodings"). Integers are big-endian. */
export const binHeader = {
  type: 0,
  flags: 1,
  replyToLength: 2,
  seq: 4,
  metaLength: 8,
  pullId: 12,
  /** The end of the header: `replyTo` begins here. */
  end: 28,
} as const;
export const endFlag = 1;

const limits = frameLimits['pullwire.v1+bin'];
const empty = Buffer.alloc(0);

/** One binary message taken apart. The parts are views where it came in one piece, or as a head and a body. */
export interface BinFrame {
  /** The header, `replyTo` and meta; the body may follow. */
  readonly head: Buffer;
  readonly replyToEnd: number;
  readonly metaEnd: number;
  readonly body: Buffer;
}

/** Checks sizes and lengths, nothing else. Throws `WireError`. */
export function openFrame(data: Incoming): BinFrame {
  if (typeof data === 'string') {
    throw new WireError('wrong-type', 'message: pullwire.v1+bin takes binary, not text');
  }
  if (data instanceof Uint8Array) {
    checkFrameSize(data.length);
    return takeApart(asBuffer(data), undefined);
  }
  return openFragments(data);
}

/** Throws `WireError` `too-large` where one message would hold more. */
export function checkFrameSize(bytes: number): void {
  if (bytes > limits.frameBytes) refuseSize('message', bytes, limits.frameBytes);
}

/** Throws `WireError` `too-large` where a part is over its limit. */
export function checkPartSizes(replyToBytes: number, metaBytes: number, bodyBytes: number): void {
  if (replyToBytes > replyToLimitBytes) refuseSize('replyTo', replyToBytes, replyToLimitBytes);
  if (metaBytes > metaLimitBytes) refuseSize('meta', metaBytes, metaLimitBytes);
  if (bodyBytes > limits.bodyBytes) refuseSize('body', bodyBytes, limits.bodyBytes);
}

function openFragments(parts: readonly Uint8Array[]): BinFrame {
  checkFrameSize(parts.reduce((sum, part) => sum + part.length, 0));
  const [first, second] = parts;
  // Our own senders put a large body into a second fragment: then nothing needs to be copied.
  if (first !== undefined && second !== undefined && parts.length === 2) {
    const head = asBuffer(first);
    if (headLength(head) === head.length) return takeApart(head, asBuffer(second));
  }
  return takeApart(Buffer.concat(parts), undefined);
}

/** Length of header, `replyTo` and meta; undefined where not even the header is there. */
function headLength(head: Buffer): number | undefined {
  if (head.length < binHeader.end) return undefined;
  return (
    binHeader.end +
    head.readUInt16BE(binHeader.replyToLength) +
    head.readUInt32BE(binHeader.metaLength)
  );
}

function takeApart(head: Buffer, rest: Buffer | undefined): BinFrame {
  if (head.length < binHeader.end) refuse('message', `a header of ${binHeader.end} bytes`);
  const replyToBytes = head.readUInt16BE(binHeader.replyToLength);
  const metaBytes = head.readUInt32BE(binHeader.metaLength);
  const replyToEnd = binHeader.end + replyToBytes;
  const metaEnd = replyToEnd + metaBytes;
  checkPartSizes(replyToBytes, metaBytes, 0);
  if (metaEnd > head.length) refuse('message', `${metaEnd} bytes for header, replyTo and meta`);
  const body = rest ?? (metaEnd === head.length ? empty : head.subarray(metaEnd));
  checkPartSizes(0, 0, body.length);
  return { head, replyToEnd, metaEnd, body };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
