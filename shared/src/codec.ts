import { binCodec } from './bin-codec.ts';
import type { Frame, Incoming } from './frame.ts';
import { jsonCodec } from './json-codec.ts';
import type { FrameLimits } from './limit.ts';
import type {
  AgentMessage,
  Head,
  Ignored,
  Pull,
  RelayMessage,
  ReplyBody,
  RequestBody,
  Subprotocol,
} from './message.ts';

/** One encoding of the wire. Nothing else parses or writes frames. */
export interface Codec {
  readonly subprotocol: Subprotocol;
  readonly limits: FrameLimits;
  /**
   * Throws `WireError`: `too-large` where the frame would exceed a limit, `protocol-error` where headers, path, query,
   * reason or ids are such that the peer would refuse the frame. `detail` and `extra` of a fault are cut to fit.
   */
  encode(message: AgentMessage | RelayMessage): Frame;
  /** What a relay receives. Throws `WireError` and nothing else. A binary body is a view of what was given. */
  decodeAgent(data: Incoming): AgentMessage | Ignored;
  /** What an agent receives. Throws `WireError` and nothing else. A binary body is a view of what was given. */
  decodeRelay(data: Incoming): RelayMessage | Ignored;
  /** Bytes of body that fit into this message's frame, whatever body it has now; 0 where its head leaves no room. */
  bodyRoom(message: Head | Pull | ReplyBody | RequestBody): number;
}

const codecs: Readonly<Record<Subprotocol, Codec>> = {
  'pullwire.v1+bin': binCodec,
  'pullwire.v1+json': jsonCodec,
};

export function codecFor(subprotocol: Subprotocol): Codec {
  return codecs[subprotocol];
}
