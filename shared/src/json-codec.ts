import { Buffer } from 'node:buffer';
import { ignoredAction } from './action.ts';
import { readAgentMessage } from './agent-reader.ts';
import type { Envelope } from './envelope.ts';
import { checkBase64, checkObject, type Fields } from './field.ts';
import type { Frame, Incoming } from './frame.ts';
import { frameLimits } from './limit.ts';
import type { AgentMessage, Ignored, RelayMessage } from './message.ts';
import { type Outgoing, outgoing } from './outgoing.ts';
import { readRelayMessage } from './relay-reader.ts';
import { refuse, refuseSize, WireError } from './wire-error.ts';

const subprotocol = 'pullwire.v1+json' as const;
const limits = frameLimits[subprotocol];
const withBody: ReadonlySet<string> = new Set(['body', 'head', 'pull', 'reading']);
/** What a frame with a body holds after its other fields. */
const tail = ',"end":true,"body":""}'.length;

/** PROTOCOL.md, "Encodings", `pullwire.v1+json`: one JSON object in a text message. See `Codec`. */
export const jsonCodec = {
  subprotocol,
  limits,

  encode(message: AgentMessage | RelayMessage): Frame {
    const out = outgoing(message);
    let text = openText(message.action, out);
    if (out.end) text += ',"end":true';
    if (out.body !== undefined) text += `,"body":"${base64(out.body)}"`;
    text += '}';
    checkSize(text);
    return text;
  },

  decodeAgent(data: Incoming): AgentMessage | Ignored {
    const fields = parse(data);
    const action = actionOf(fields);
    return readAgentMessage(action, envelopeOf(action, fields)) ?? ignoredAction(action);
  },

  decodeRelay(data: Incoming): RelayMessage | Ignored {
    const fields = parse(data);
    if (isGatewayError(fields)) return { action: 'ignored', name: 'gateway-error' };
    const action = actionOf(fields);
    return readRelayMessage(action, envelopeOf(action, fields)) ?? ignoredAction(action);
  },

  bodyRoom(message: AgentMessage | RelayMessage): number {
    const head = Buffer.byteLength(openText(message.action, outgoing(message)));
    const room = Math.floor((limits.frameBytes - head - tail) / 4) * 3;
    return Math.max(0, Math.min(room, limits.bodyBytes));
  },
};

/** The frame up to `end` and `body`. */
function openText(action: string, { pullId, replyTo, seq, meta }: Outgoing): string {
  let text = `{"action":"${action}"`;
  if (pullId !== undefined) text += `,"pullId":"${pullId}"`;
  if (replyTo !== undefined) text += `,"replyTo":${JSON.stringify(replyTo)}`;
  if (seq !== undefined) text += `,"seq":${seq}`;
  if (meta !== undefined) text += `,${meta.slice(1, -1)}`;
  return text;
}

function base64(body: Uint8Array): string {
  if (body.length > limits.bodyBytes) refuseSize('body', body.length, limits.bodyBytes);
  return Buffer.from(body.buffer, body.byteOffset, body.length).toString('base64');
}

function checkSize(text: string): void {
  // No text has fewer bytes of UTF-8 than it has UTF-16 units, none has more than three for each.
  if (text.length * 3 <= limits.frameBytes) return;
  const bytes = text.length > limits.frameBytes ? text.length : Buffer.byteLength(text);
  if (bytes > limits.frameBytes) refuseSize('message', bytes, limits.frameBytes);
}

function parse(data: Incoming): Fields {
  if (typeof data !== 'string') {
    throw new WireError('wrong-type', `message: ${subprotocol} takes text, not binary`);
  }
  checkSize(data);
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    // The parser's own message repeats a piece of the text.
    refuse('message', 'JSON (RFC 8259)');
  }
  return checkObject(value, 'message');
}

function actionOf(fields: Fields): string {
  return typeof fields.action === 'string' ? fields.action : refuse('action', 'text');
}

/** API Gateway's own word that it could not hand on a message; what was in it is asked for again, or was not needed. */
function isGatewayError({ action, message, connectionId }: Fields): boolean {
  return action === undefined && typeof message === 'string' && typeof connectionId === 'string';
}

function envelopeOf(action: string, fields: Fields): Envelope {
  const { pullId, replyTo, seq, end } = fields;
  return { pullId, replyTo, seq, end, body: bodyOf(action, fields.body), fields };
}

/** Elsewhere a field of this name is an unknown one. */
function bodyOf(action: string, body: unknown): Uint8Array | undefined {
  if (!withBody.has(action)) return undefined;
  return body === undefined ? undefined : checkBase64(body, limits.bodyBytes);
}
