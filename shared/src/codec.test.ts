import { Buffer } from 'node:buffer';
import { describe, expect, it } from 'vitest';
import {
  codecFor,
  type Fault,
  type Frame,
  type Head,
  type Incoming,
  type Pull,
  type ReplyBody,
  WireError,
} from './index.ts';

const json = codecFor('pullwire.v1+json');
const bin = codecFor('pullwire.v1+bin');
const pullId = 'AAECAwQFBgcICQoLDA0ODw';

const head = (over: Partial<Head> = {}): Head => ({
  action: 'head',
  pullId,
  replyTo: 'r1',
  seq: 0,
  status: 200,
  headers: ['content-type', 'text/plain'],
  end: false,
  ...over,
});
const body = (bytes: Uint8Array, over: Partial<ReplyBody> = {}): ReplyBody => ({
  action: 'body',
  pullId,
  replyTo: 'r1',
  seq: 1,
  end: true,
  body: bytes,
  ...over,
});
const pull = (over: Partial<Pull> = {}): Pull => ({
  action: 'pull',
  pullId,
  replyTo: 'r1',
  seq: 0,
  source: 'metrics',
  method: 'GET',
  path: '/',
  headers: [],
  deadlineMs: 30_000,
  credit: 88_000,
  caller: 'ops',
  end: true,
  ...over,
});
const fault = (over: Partial<Fault> = {}): Fault => ({
  action: 'fault',
  pullId,
  replyTo: 'r1',
  code: 'source-failed',
  stage: 'upstream',
  detail: 'it failed',
  ...over,
});

function fragmentsOf(frame: Frame): readonly Uint8Array[] {
  if (typeof frame === 'string') throw new Error('a text frame');
  return frame;
}

function errorOf(run: () => unknown): WireError {
  try {
    run();
  } catch (error) {
    if (error instanceof WireError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

const codeOf = (run: () => unknown): string => errorOf(run).code;

function bodyIn(data: Incoming): Uint8Array {
  const message = bin.decodeAgent(data);
  if (message.action !== 'body') throw new Error(`got ${message.action}`);
  return message.body;
}

describe('the body in a binary frame', () => {
  it('is a view of the message that came', () => {
    const frame = Buffer.concat(fragmentsOf(bin.encode(body(Buffer.from('hello')))));
    const decoded = bodyIn(frame);
    expect(decoded.buffer).toBe(frame.buffer);
    expect(decoded.byteOffset).toBe(frame.byteOffset + frame.length - 5);
  });

  it('is the second fragment itself where that holds exactly the body', () => {
    const bytes = Buffer.alloc(65_536, 1);
    const decoded = bodyIn(fragmentsOf(bin.encode(body(bytes))));
    expect(decoded.buffer).toBe(bytes.buffer);
    expect(decoded.length).toBe(65_536);
  });

  it('is put together from any number of fragments', () => {
    const bytes = Buffer.from(Array.from({ length: 65_536 }, (_, i) => i % 251));
    const frame = Buffer.concat(fragmentsOf(bin.encode(body(bytes))));
    const pieces: Buffer[] = [];
    for (let at = 0; at < frame.length; at += 1_000) pieces.push(frame.subarray(at, at + 1_000));
    expect(Buffer.compare(bodyIn(pieces), bytes)).toBe(0);
  });

  it('is sent as a part of its own above 4 KiB, without a copy', () => {
    const large = Buffer.alloc(4_097);
    expect(fragmentsOf(bin.encode(body(large)))[1]).toBe(large);
    expect(fragmentsOf(bin.encode(body(Buffer.alloc(4_096))))).toHaveLength(1);
    expect(fragmentsOf(bin.encode(head({ body: large })))[1]).toBe(large);
  });

  it('may be any Uint8Array, with its offset', () => {
    const bytes = new Uint8Array([9, 1, 2, 3, 9]).subarray(1, 4);
    const message = json.decodeAgent(json.encode(body(bytes)));
    expect(message).toMatchObject({ body: Buffer.from([1, 2, 3]) });
    expect(bodyIn(fragmentsOf(bin.encode(body(bytes))))).toEqual(Buffer.from([1, 2, 3]));
  });
});

describe('bodyRoom', () => {
  it.each([
    ['a small head', head()],
    ['a head with everything', head({ reason: 'OK', timing: { agentMs: 1.5, upstreamMs: 1 } })],
    ['a pull', pull({ query: 'a=b' })],
    ['a body', body(Buffer.alloc(0))],
    ['a long replyTo', body(Buffer.alloc(0), { replyTo: '"'.repeat(512), seq: 0xffff_ffff })],
    ['a large head', head({ headers: ['x-a', 'a'.repeat(16_000)] })],
    ['a head that takes two bytes a character', head({ headers: ['x-a', 'é'.repeat(14_000)] })],
  ])('%s with a body of that size fits, in both encodings', (_, message) => {
    for (const codec of [json, bin]) {
      const room = codec.bodyRoom(message);
      expect(room).toBeGreaterThan(0);
      expect(room).toBeLessThanOrEqual(codec.limits.bodyBytes);
      const full = { ...message, end: true, body: Buffer.alloc(room, 255) };
      expect(() => codec.encode(full)).not.toThrow();
      const over = { ...full, body: Buffer.alloc(room + 4) };
      expect(codeOf(() => codec.encode(over))).toBe('too-large');
    }
  });

  it('is the whole limit where the head is small', () => {
    expect(json.bodyRoom(head())).toBe(22_000);
    expect(bin.bodyRoom(head({ headers: ['x-a', 'é'.repeat(14_000)] }))).toBe(65_536);
  });

  it('takes no notice of the body that the message has', () => {
    expect(json.bodyRoom(head({ body: Buffer.alloc(9_000) }))).toBe(22_000);
  });

  it('is 0 where the head alone fills the frame', () => {
    expect(json.bodyRoom(head({ headers: ['x-a', '"'.repeat(14_950)] }))).toBe(0);
  });
});

describe('encode refuses', () => {
  it.each([
    ['a head of more than 16,384 bytes', head({ headers: ['x-a', 'a'.repeat(16_378)] })],
    ['a path that makes the head too large', pull({ path: `/${'a'.repeat(16_384)}` })],
    ['a query that makes the head too large', pull({ query: 'a'.repeat(16_384) })],
    ['trailers of more than 16,384 bytes', trailing(['x-a', 'a'.repeat(16_378)])],
    ['a replyTo of more than 512 bytes', head({ replyTo: 'r'.repeat(513) })],
    ['a body beyond the limit', body(Buffer.alloc(65_537))],
  ])('%s as too-large', (_, message) => {
    for (const codec of [json, bin]) {
      expect(codeOf(() => codec.encode(message))).toBe('too-large');
    }
  });

  it.each([
    ['a header name that is no token', head({ headers: ['a b', 'c'] })],
    ['a header value with a line break', head({ headers: ['a', 'b\r\nc: d'] })],
    ['a list of headers without its last value', head({ headers: ['a'] })],
    ['a trailer with a line break', trailing(['a', '\n'])],
    ['a reason with a line break', head({ reason: 'OK\n' })],
    ['a path with a space', pull({ path: '/a b' })],
    ['a query with a fragment', pull({ query: 'a#b' })],
    ['an id that is none', head({ pullId: 'short' })],
    ['a reply that leads nowhere', head({ replyTo: '' })],
    ['a body number 0', body(Buffer.alloc(1), { seq: 0 })],
    ['a hello with another device id than there can be', helloOf('../a')],
  ])('%s, since the peer would close the link', (_, message) => {
    for (const codec of [json, bin]) {
      expect(codeOf(() => codec.encode(message))).toBe('protocol-error');
    }
  });

  it('a head that fits the limit but not the text encoding', () => {
    const message = head({ headers: ['x-a', '"'.repeat(14_970)] });
    expect(codeOf(() => json.encode(message))).toBe('too-large');
    expect(() => bin.encode(message)).not.toThrow();
  });

  it('meta beyond its limit', () => {
    const message = head({ headers: ['x-a', 'é'.repeat(15_500)] });
    expect(codeOf(() => bin.encode(message))).toBe('too-large');
  });
});

describe('a fault', () => {
  it('with a long detail is sent with what fits', () => {
    const message = json.decodeAgent(json.encode(fault({ detail: 'x'.repeat(501) })));
    expect(message).toEqual(fault({ detail: `${'x'.repeat(499)}…` }));
  });

  it('with too much extra is sent with the entries that fit', () => {
    const extra = { exitCode: 1, stderr: 'x'.repeat(5_000), ['n'.repeat(65)]: 1, note: 'short' };
    const message = bin.decodeAgent(bin.encode(fault({ extra })));
    expect(message).toEqual(fault({ extra: { exitCode: 1, note: 'short' } }));
    const many = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`k${i}`, i]));
    const sent = bin.decodeAgent(bin.encode(fault({ extra: many })));
    expect(sent).toMatchObject({ extra: { k0: 0, k7: 7 } });
    expect(sent).not.toMatchObject({ extra: { k8: 8 } });
  });

  it('of the greatest size fits into a text frame', () => {
    const message = fault({
      replyTo: '\\'.repeat(512),
      detail: '\u0000'.repeat(500),
      extra: { e: '\u0000'.repeat(4_095) },
    });
    expect(json.decodeAgent(json.encode(message))).toEqual(message);
  });
});

describe('an error', () => {
  it('names the field and never repeats a value, which may be a secret', () => {
    const message = { ...head(), headers: ['authorization', 'Bearer s3cret\n'] };
    const text = JSON.stringify({ ...message, end: undefined });
    const error = errorOf(() => json.decodeAgent(text));
    expect(error.message).toBe(
      'headers[1]: expected a field value in Latin-1 without control characters',
    );
  });

  it('about JSON does not repeat the text either', () => {
    expect(errorOf(() => json.decodeAgent('{"replyTo":"s3cret')).message).not.toContain('s3cret');
  });

  it('names sizes and limits', () => {
    const error = errorOf(() => json.decodeRelay('x'.repeat(30_001)));
    expect(error.message).toBe('message: 30001 is over the limit of 30000');
  });
});

function trailing(trailers: readonly string[]) {
  return { action: 'end', pullId, replyTo: 'r1', seq: 1, trailers } as const;
}

function helloOf(device: string) {
  const empty = { sources: [], labels: {}, features: [] };
  return { action: 'hello', version: 1, agent: 'a/1', device, instance: 'i', ...empty } as const;
}

describe('what a storage and a relay say', () => {
  const complete = (etag: string) =>
    ({
      action: 'complete',
      pullId,
      replyTo: 'r1',
      parts: [{ part: 1, etag }],
      length: 1,
    }) as const;
  const put = (url: string) => ({ action: 'put', pullId, part: 1, url, headers: [] }) as const;

  it('is not sent where the peer would refuse it', () => {
    for (const codec of [json, bin]) {
      expect(codeOf(() => codec.encode(complete('"a b"')))).toBe('protocol-error');
      expect(codeOf(() => codec.encode(put('https://x/\n')))).toBe('protocol-error');
      expect(codeOf(() => codec.encode(put(`https://x/${'x'.repeat(4_087)}`)))).toBe(
        'protocol-error',
      );
    }
  });

  it('fits into a frame at its largest: 400 parts with ETags of S3', () => {
    const etag = `"${'0'.repeat(32)}"`;
    const parts = Array.from({ length: 400 }, (_, i) => ({ part: i + 1, etag }));
    const message = { ...complete(etag), parts, replyTo: 'r'.repeat(512) };
    expect(json.decodeAgent(json.encode(message))).toEqual(message);
    expect(bin.decodeAgent(fragmentsOf(bin.encode(message)))).toEqual(message);
    expect(json.encode(put(`https://x/${'x'.repeat(4_086)}`))).toContain('"action":"put"');
  });

  it('is not repeated in an error, since the URL is signed', () => {
    const frame = JSON.stringify(put('https://x/ X-Amz-Signature=5ec2e7'));
    expect(errorOf(() => json.decodeRelay(frame)).message).not.toContain('5ec2e7');
  });
});
