import { Buffer, isUtf8 } from 'node:buffer';
import { actionOf, binTypes, ignoredAction, isAction } from './action.ts';
import { readAgentMessage } from './agent-reader.ts';
import {
  type BinFrame,
  binHeader,
  checkFrameSize,
  checkPartSizes,
  endFlag,
  openFrame,
} from './bin-frame.ts';
import type { Envelope } from './envelope.ts';
import { checkObject, type Fields } from './field.ts';
import type { Frame, Incoming } from './frame.ts';
import { frameLimits } from './limit.ts';
import type { AgentMessage, Ignored, RelayMessage } from './message.ts';
import { type Outgoing, outgoing } from './outgoing.ts';
import { readRelayMessage } from './relay-reader.ts';
import { refuse } from './wire-error.ts';

const subprotocol = 'pullwire.v1+bin' as const;
const limits = frameLimits[subprotocol];
/** A body up to this size is cheaper to copy than to send as a fragment of its own. */
const copyBytes = 4_096;
const noFields: Fields = {};

/** PROTOCOL.md, "Encodings", `pullwire.v1+bin`: a header, `replyTo`, meta and body in a binary message. See `Codec`. */
export const binCodec = {
  subprotocol,
  limits,

  encode(message: AgentMessage | RelayMessage): Frame {
    const out = outgoing(message);
    const body = out.body;
    if (body === undefined || body.length === 0) return [writeHead(message, out, 0)];
    if (body.length > copyBytes) return [writeHead(message, out, 0), body];
    const frame = writeHead(message, out, body.length);
    frame.set(body, frame.length - body.length);
    return [frame];
  },

  decodeAgent(data: Incoming): AgentMessage | Ignored {
    const frame = openFrame(data);
    const action = actionOf(frame.head[binHeader.type] as number);
    if (!isAction(action)) return ignoredAction(action);
    return readAgentMessage(action, envelopeOf(frame)) ?? ignoredAction(action);
  },

  decodeRelay(data: Incoming): RelayMessage | Ignored {
    const frame = openFrame(data);
    const action = actionOf(frame.head[binHeader.type] as number);
    if (!isAction(action)) return ignoredAction(action);
    return readRelayMessage(action, envelopeOf(frame)) ?? ignoredAction(action);
  },

  /** The largest head leaves room for the largest body. */
  bodyRoom(): number {
    return limits.bodyBytes;
  },
};

/** A buffer with header, `replyTo` and meta written, and `space` bytes after them. */
function writeHead(message: AgentMessage | RelayMessage, out: Outgoing, space: number): Buffer {
  const { replyTo = '', meta = '', pullId } = out;
  const bodyBytes = out.body?.length ?? 0;
  const metaBytes = Buffer.byteLength(meta);
  const metaFrom = binHeader.end + replyTo.length;
  checkPartSizes(replyTo.length, metaBytes, bodyBytes);
  checkFrameSize(metaFrom + metaBytes + bodyBytes);
  const head = Buffer.allocUnsafe(metaFrom + metaBytes + space);
  head[binHeader.type] = binTypes[message.action];
  head[binHeader.flags] = out.end ? endFlag : 0;
  head.writeUInt16BE(replyTo.length, binHeader.replyToLength);
  head.writeUInt32BE(out.seq ?? 0, binHeader.seq);
  head.writeUInt32BE(metaBytes, binHeader.metaLength);
  if (pullId === undefined) head.fill(0, binHeader.pullId, binHeader.end);
  else head.write(pullId, binHeader.pullId, 'base64url');
  if (replyTo !== '') head.write(replyTo, binHeader.end, 'latin1');
  if (meta !== '') head.write(meta, metaFrom, 'utf8');
  return head;
}

function envelopeOf({ head, replyToEnd, metaEnd, body }: BinFrame): Envelope {
  return {
    pullId: head.toString('base64url', binHeader.pullId, binHeader.end),
    // Latin-1, so that a byte that is not ASCII is seen as such and refused.
    replyTo: head.toString('latin1', binHeader.end, replyToEnd),
    seq: head.readUInt32BE(binHeader.seq),
    end: ((head[binHeader.flags] as number) & endFlag) !== 0,
    body,
    fields: replyToEnd === metaEnd ? noFields : parseMeta(head, replyToEnd, metaEnd),
  };
}

function parseMeta(head: Buffer, from: number, to: number): Fields {
  const text = head.toString('utf8', from, to);
  // Decoding puts U+FFFD in the place of what is not UTF-8; only then is the check needed.
  if (text.includes('\ufffd') && !isUtf8(head.subarray(from, to))) refuse('meta', 'UTF-8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message repeats a piece of the text.
    refuse('meta', 'JSON (RFC 8259)');
  }
  return checkObject(value, 'meta');
}
