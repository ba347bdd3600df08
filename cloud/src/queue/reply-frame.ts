import type { Head, ReplyBody, ReplyEnd } from '@pullwire/shared';
import { PullFault } from '@pullwire/shared';
import { contentLength } from '../http/content-length.ts';
import { hasReplyBody } from '../http/pull-headers.ts';

/** A frame of a reply that belongs to its content. */
export type ReplyFrame = Head | ReplyBody | ReplyEnd;

/** A whole reply. */
export interface WholeReply {
  readonly head: Head;
  readonly body: Buffer;
}

/** A whole reply on its way into the store. */
export interface KeptReply {
  readonly head: Head;
  /** Of its body. */
  readonly bytes: number;
  /** Undefined: it lies beside the table already. */
  readonly body?: Uint8Array;
}

/**
 * The reply, where all of it is there; undefined where frames are missing. `frames`: in their order. Throws `PullFault`
 * `protocol-error`.
 */
export function wholeReply(frames: readonly ReplyFrame[], method: string): WholeReply | undefined {
  const pieces: Uint8Array[] = [];
  for (const [at, frame] of frames.entries()) {
    const body = frame.action === 'end' ? undefined : frame.body;
    if (body !== undefined) pieces.push(body);
    if (frame.seq !== at) return undefined;
    if (frame.action !== 'end' && !frame.end) continue;
    const head = frames[0];
    if (head?.action !== 'head') throw brokenReply('the reply has no head');
    return checked({ head, body: Buffer.concat(pieces) }, method);
  }
  return undefined;
}

/** Bytes of body in these frames. */
export function bodyBytes(frames: readonly ReplyFrame[]): number {
  const bytesOf = (frame: ReplyFrame) => (frame.action === 'end' ? 0 : (frame.body?.length ?? 0));
  return frames.reduce((sum, frame) => sum + bytesOf(frame), 0);
}

function checked(reply: WholeReply, method: string): WholeReply {
  const { head, body } = reply;
  if (!hasReplyBody(method, head.status)) return { head, body: Buffer.alloc(0) };
  const declared = contentLength(head.headers);
  if (declared === undefined || declared === body.length) return reply;
  throw brokenReply(
    `the reply's body has ${body.length} bytes, its Content-Length says ${declared}`,
  );
}

/** `advice`: what to do, where there is something besides asking for less. */
export function replyTooLarge(bytes: number, advice = 'queue.replyBytes'): PullFault {
  return new PullFault('reply-too-large', 'stream', {
    detail: `of the reply to a queued pull at most ${bytes} bytes are kept (${advice}): ask for a part of it, or pull it without respond-async`,
  });
}

export function brokenReply(detail: string): PullFault {
  return new PullFault('protocol-error', 'stream', { detail });
}
