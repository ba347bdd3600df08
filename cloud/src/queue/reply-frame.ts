import type { Head, ReplyBody, ReplyEnd } from '@pullwire/shared';
import { PullFault } from '@pullwire/shared';
import { contentLength } from '../http/content-length.ts';
import { hasReplyBody } from '../http/pull-headers.ts';

/** A frame of a reply that belongs to its content. */
export type ReplyFrame = Head | ReplyBody | ReplyEnd;

/** DESIGN.md, "Decisions" 5: the inline limit, on either host. */
export const keptReplyBytes = 88_000;
/** A reply in more pieces is a stream, which nobody waits for here. */
const keptReplyFrames = 256;

/** A whole reply. */
export interface WholeReply {
  readonly head: Head;
  readonly body: Buffer;
}

/**
 * The reply, where all of it is there; undefined where frames are missing. `frames`: in their order. Throws `PullFault`
 * `reply-too-large` or `protocol-error`.
 */
export function wholeReply(frames: readonly ReplyFrame[], method: string): WholeReply | undefined {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for (const [at, frame] of frames.entries()) {
    const body = frame.action === 'end' ? undefined : frame.body;
    if (body !== undefined) {
      pieces.push(body);
      bytes += body.length;
    }
    if (bytes > keptReplyBytes) throw tooLarge();
    if (frame.seq !== at) return undefined;
    if (frame.action !== 'end' && !frame.end) continue;
    const head = frames[0];
    if (head?.action !== 'head') throw broken('the reply has no head');
    return checked({ head, body: Buffer.concat(pieces) }, method);
  }
  return undefined;
}

/** A head tells at once of a body that will not fit. Throws `PullFault` `reply-too-large`. */
export function checkFits(frame: ReplyFrame, method: string): void {
  if (frame.seq >= keptReplyFrames) throw tooLarge();
  if (frame.action !== 'head' || !hasReplyBody(method, frame.status)) return;
  const declared = contentLength(frame.headers);
  if (typeof declared === 'number' && declared > keptReplyBytes) throw tooLarge();
}

function checked(reply: WholeReply, method: string): WholeReply {
  const { head, body } = reply;
  if (!hasReplyBody(method, head.status)) return { head, body: Buffer.alloc(0) };
  const declared = contentLength(head.headers);
  if (declared === undefined || declared === body.length) return reply;
  throw broken(`the reply's body has ${body.length} bytes, its Content-Length says ${declared}`);
}

export function tooLarge(): PullFault {
  const limits = `${keptReplyBytes} bytes in ${keptReplyFrames} pieces`;
  return new PullFault('reply-too-large', 'stream', {
    detail: `of the reply to a queued pull at most ${limits} are kept: pull it without respond-async`,
  });
}

function broken(detail: string): PullFault {
  return new PullFault('protocol-error', 'stream', { detail });
}
