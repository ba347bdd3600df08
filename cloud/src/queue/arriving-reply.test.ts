import type { Head, ReplyBody } from '@pullwire/shared';
import { describe, expect, test } from 'vitest';
import { ArrivingReply } from './arriving-reply.ts';
import type { PieceStream } from './piece-stream.ts';
import type { KeptReply, ReplyFrame } from './reply-frame.ts';

const common = { pullId: 'AAECAwQFBgcICQoLDA0ODw', replyTo: 'r' };
const head = (changes: Partial<Head> = {}): ReplyFrame => ({
  ...{ ...common, action: 'head', seq: 0, status: 200, headers: [], end: false },
  ...changes,
});
const body = (seq: number, bytes: number, end = false): ReplyBody => ({
  ...{ ...common, action: 'body', seq, end },
  body: Buffer.alloc(bytes, seq),
});

/** A disk that takes what comes only when the test lets it. */
class Bench {
  readonly grants: number[] = [];
  readonly errors: unknown[] = [];
  readonly reply: ArrivingReply;
  announced = 0;
  whole: Promise<KeptReply> | undefined;
  content: PieceStream | undefined;
  readonly stored = Promise.withResolvers<void>();

  constructor(method = 'GET') {
    this.reply = new ArrivingReply({
      method,
      windowBytes: 100,
      replyBytes: 1_000,
      smallBytes: 50,
      store: (bytes, content) => {
        this.announced = bytes;
        this.content = content;
        return this.stored.promise;
      },
      grant: (limit) => this.grants.push(limit),
      whole: (reply) => {
        this.whole = reply;
      },
      failed: (error) => this.errors.push(error),
    });
  }

  /** The disk takes all that has come so far. */
  async takeAll(): Promise<Buffer> {
    const pieces: Uint8Array[] = [];
    if (this.content === undefined) throw new Error('nothing goes to the disk');
    for await (const piece of this.content) pieces.push(piece);
    return Buffer.concat(pieces);
  }
}

describe('a small reply', () => {
  test('is kept in memory until it is whole', async () => {
    const bench = new Bench();
    bench.reply.take(head({ headers: ['Content-Length', '50'] }));
    bench.reply.take(body(1, 20));
    expect(bench.whole).toBeUndefined();
    bench.reply.take(body(2, 30, true));
    expect(await bench.whole).toMatchObject({ bytes: 50, body: { length: 50 } });
    expect(bench.content).toBeUndefined();
  });

  test('is the same where its frames come doubled and in another order', async () => {
    const bench = new Bench();
    for (const frame of [body(2, 5, true), body(1, 5), head(), body(1, 5)]) bench.reply.take(frame);
    expect((await bench.whole)?.body).toEqual(Buffer.from([1, 1, 1, 1, 1, 2, 2, 2, 2, 2]));
  });

  test('to HEAD has the length that a GET would have, and no body', async () => {
    const bench = new Bench('HEAD');
    bench.reply.take(head({ headers: ['Content-Length', '5000'], end: true }));
    expect(await bench.whole).toMatchObject({ bytes: 0, body: { length: 0 } });
  });
});

describe('a large reply', () => {
  test('goes to the disk as it comes, and its agent gets credit as the disk takes it', async () => {
    const bench = new Bench();
    bench.reply.take(head({ headers: ['Content-Length', '160'] }));
    bench.reply.take(body(1, 40));
    expect(bench.grants).toEqual([140]);
    bench.reply.take(body(2, 60));
    expect([bench.announced, bench.grants]).toEqual([160, [140]]);
    const taken = bench.takeAll();
    bench.reply.take(body(3, 40));
    await expect.poll(() => bench.grants).toEqual([140, 200, 240]);
    bench.reply.take(body(4, 20, true));
    expect(await taken).toHaveLength(160);
    let kept = false;
    void bench.whole?.then(() => {
      kept = true;
    });
    await Promise.resolve();
    expect(kept).toBe(false); // its last bytes are not on the disk yet
    bench.stored.resolve();
    expect(await bench.whole).toEqual({
      head: head({ headers: ['Content-Length', '160'] }),
      bytes: 160,
    });
  });

  test('of unknown length counts as the largest that is kept', () => {
    const bench = new Bench();
    bench.reply.take(head());
    bench.reply.take(body(1, 60));
    expect(bench.announced).toBe(1_000);
  });

  test('that the disk does not take fails, before its end and after it', async () => {
    const bench = new Bench();
    bench.reply.take(head());
    bench.reply.take(body(1, 60));
    bench.stored.reject(new Error('no room'));
    await expect.poll(() => bench.errors).toEqual([new Error('no room')]);
    const late = new Bench();
    late.reply.take(head());
    late.reply.take(body(1, 60, true));
    late.stored.reject(new Error('no room'));
    await expect(late.whole).rejects.toThrow('no room');
    expect(late.errors).toEqual([]);
  });

  test('that nobody wants any more breaks off towards the disk', async () => {
    const bench = new Bench();
    bench.reply.take(head());
    bench.reply.take(body(1, 60));
    bench.reply.stop();
    await expect(bench.takeAll()).rejects.toThrow('has ended');
    bench.stored.reject(new Error('it broke off'));
    bench.reply.take(body(2, 60, true));
    expect([bench.errors, bench.whole]).toEqual([[], undefined]);
  });
});

test.each([
  [
    'over what is kept, by its Content-Length',
    [head({ headers: ['Content-Length', '1001'] })],
    'reply-too-large',
  ],
  [
    'with two lengths',
    [head({ headers: ['Content-Length', '1', 'Content-Length', '1'] })],
    'protocol-error',
  ],
  [
    'longer than its Content-Length',
    [head({ headers: ['Content-Length', '9'] }), body(1, 10)],
    'protocol-error',
  ],
  [
    'shorter than it',
    [head({ headers: ['Content-Length', '9'] }), body(1, 8, true)],
    'protocol-error',
  ],
  ['beyond its credit', [head(), body(1, 101)], 'protocol-error'],
] as const)('a reply %s is refused', (_, frames, code) => {
  const { reply } = new Bench();
  const take = () => {
    for (const frame of frames) reply.take(frame);
  };
  expect(take).toThrow(expect.objectContaining({ code }));
});

test('a reply that outgrows what is kept is refused where it does', async () => {
  const bench = new Bench();
  bench.reply.take(head());
  const frames = Array.from({ length: 11 }, (_, at) => body(at + 1, 90));
  for (const frame of frames) {
    bench.reply.take(frame);
    if (frame.seq === 1) void bench.takeAll().catch(() => undefined);
    await expect.poll(() => bench.grants.at(-1)).toBe(frame.seq * 90 + 100);
  }
  expect(() => bench.reply.take(body(12, 20))).toThrow(
    expect.objectContaining({ code: 'reply-too-large' }),
  );
});
