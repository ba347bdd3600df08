import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  type AgentMessage,
  codecFor,
  type Feature,
  type Frame,
  features,
  type Incoming,
  type RelayMessage,
  type Subprotocol,
  WireError,
} from './index.ts';

interface Row {
  readonly name: string;
  readonly direction: 'agent' | 'relay';
}
interface ValidRow extends Row {
  readonly message: Readonly<Record<string, unknown>>;
  readonly json: string;
  readonly bin: string;
}
type Piece = string | { repeat: string; times: number } | { text: string } | { binary: string };
interface FrameRow extends Row {
  readonly encoding: 'json' | 'bin';
  readonly frame: string | readonly Piece[];
}
interface ToleratedRow extends FrameRow {
  readonly message: Readonly<Record<string, unknown>>;
  /** The row is for a reader that does not have this feature. */
  readonly without?: Feature;
}
interface MalformedRow extends FrameRow {
  readonly error: string;
}

const load = <T>(file: string): T[] =>
  JSON.parse(readFileSync(new URL(`../vectors/${file}.json`, import.meta.url), 'utf8'));
const valid = load<ValidRow>('valid');
const tolerated = load<ToleratedRow>('tolerated').filter(
  ({ without }) => without === undefined || !features.includes(without),
);
const malformed = load<MalformedRow>('malformed');

const json = codecFor('pullwire.v1+json');
const bin = codecFor('pullwire.v1+bin');

function decode(subprotocol: Subprotocol, direction: Row['direction'], data: Incoming): unknown {
  const codec = codecFor(subprotocol);
  return direction === 'agent' ? codec.decodeAgent(data) : codec.decodeRelay(data);
}

/** The message of a vector: bodies there are base64. */
function messageOf(row: ValidRow | ToleratedRow): AgentMessage | RelayMessage {
  const { body, ...rest } = row.message;
  const message =
    body === undefined ? rest : { ...rest, body: Buffer.from(String(body), 'base64') };
  return message as unknown as AgentMessage | RelayMessage;
}

function bytesOf(frame: Frame): Buffer {
  if (typeof frame === 'string') throw new Error('a text frame');
  return Buffer.concat(frame);
}

function dataOf(row: FrameRow): Incoming {
  const pieces = typeof row.frame === 'string' ? [row.frame] : row.frame;
  const [first] = pieces;
  if (typeof first === 'object' && 'text' in first) return first.text;
  if (typeof first === 'object' && 'binary' in first) return Buffer.from(first.binary, 'hex');
  const text = pieces.map(expand).join('');
  return row.encoding === 'json' ? text : Buffer.from(text, 'hex');
}

function expand(piece: Piece): string {
  if (typeof piece === 'string') return piece;
  if ('repeat' in piece) return piece.repeat.repeat(piece.times);
  throw new Error('a piece of the other type of message stands alone');
}

const subprotocolOf = (row: FrameRow): Subprotocol => `pullwire.v1+${row.encoding}`;

describe('golden frames', () => {
  it.each(valid)('$direction: $name is written as the text of the vector', (row) => {
    expect(json.encode(messageOf(row))).toBe(row.json);
  });

  it.each(valid)('$direction: $name is written as the bytes of the vector', (row) => {
    expect(bytesOf(bin.encode(messageOf(row))).toString('hex')).toBe(row.bin);
  });

  it.each(valid)('$direction: $name is read from its text', (row) => {
    expect(decode('pullwire.v1+json', row.direction, row.json)).toStrictEqual(messageOf(row));
  });

  it.each(valid)('$direction: $name is read from its bytes', (row) => {
    const frame = Buffer.from(row.bin, 'hex');
    expect(decode('pullwire.v1+bin', row.direction, frame)).toStrictEqual(messageOf(row));
    const plain = decode('pullwire.v1+bin', row.direction, Uint8Array.from(frame));
    expect(plain).toStrictEqual(messageOf(row));
  });

  it.each(valid)('$direction: $name is read from fragments cut anywhere', (row) => {
    const frame = Buffer.from(row.bin, 'hex');
    for (let at = 0; at <= frame.length; at += 1) {
      const parts = [frame.subarray(0, at), frame.subarray(at)];
      expect(decode('pullwire.v1+bin', row.direction, parts)).toStrictEqual(messageOf(row));
    }
    const bytes = Array.from(frame, (byte) => Uint8Array.of(byte));
    expect(decode('pullwire.v1+bin', row.direction, bytes)).toStrictEqual(messageOf(row));
  });

  it.each(valid)('$direction: $name cut short is refused, or misses the end of its body', (row) => {
    const frame = Buffer.from(row.bin, 'hex');
    const bodyBytes = Buffer.from(String(row.message.body ?? ''), 'base64').length;
    for (let length = 0; length < frame.length - bodyBytes; length += 1) {
      const cut = frame.subarray(0, length);
      expect(() => decode('pullwire.v1+bin', row.direction, cut)).toThrow(WireError);
    }
  });

  it('has a row for every action of both directions', () => {
    const actions = (direction: string) =>
      new Set(valid.filter((row) => row.direction === direction).map((row) => row.message.action));
    expect([...actions('agent')].sort()).toEqual(
      [
        ...['body', 'bye', 'complete', 'credit', 'drain', 'end', 'fault', 'head', 'hello'],
        ...['keep-alive', 'probed', 'reading', 'rotate', 'upload'],
      ].sort(),
    );
    expect([...actions('relay')].sort()).toEqual(
      [
        ...['body', 'bye', 'cancel', 'credit', 'drain', 'end', 'kept-alive', 'pull', 'put'],
        ...['held', 'probe', 'resend', 'rotate', 'rotated', 'stored', 'welcome'],
      ].sort(),
    );
  });
});

describe('frames that are read although we write them otherwise', () => {
  it.each(tolerated)('$encoding, $direction: $name', (row) => {
    expect(decode(subprotocolOf(row), row.direction, dataOf(row))).toStrictEqual(messageOf(row));
  });
});

describe('malformed frames', () => {
  it.each(malformed)('$encoding, $direction: $name is a $error', (row) => {
    let thrown: unknown;
    try {
      decode(subprotocolOf(row), row.direction, dataOf(row));
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(WireError);
    const { code, message } = thrown as WireError;
    expect(code).toBe(row.error);
    // Fits into the close frame of a WebSocket (RFC 6455 §5.5).
    expect(message).toMatch(/^[\x20-\x7e]{1,123}$/);
  });

  it('never pollute a prototype', () => {
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect(({} as Record<string, unknown>).limit).toBeUndefined();
  });
});
