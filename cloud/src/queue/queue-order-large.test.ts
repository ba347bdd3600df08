import { createHash, randomBytes } from 'node:crypto';
import type { ReplyMessage } from '@pullwire/shared';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  newPullId,
  QueueBench,
  QueueGround,
  random,
  seeds,
  waiting,
} from '../../test/queue-bench.ts';
import { PostError } from '../connection/poster.ts';
import { replyKey, requestKey } from './kept-body.ts';
import type { QueuedPull } from './queued-pull.ts';

let ground: QueueGround;

describe('large bodies, whatever the order of their calls', () => {
  beforeAll(async () => {
    ground = await QueueGround.start();
  });
  afterAll(() => ground.stop());

  test('frames get more credit as they are kept, until they are more than goes by frames', async () => {
    const bench = new QueueBench(ground);
    const pull = waiting({ queuedAt: 5_000_000 });
    const sentAs = newPullId();
    await bench.plain.addPull(pull);
    await bench.plain.markSent(pull, { sentAs, sentAt: 0, answerBy: 1, connectionId: 'c1' });
    const take = async (message: ReplyMessage) => {
      const taken = bench.function().replies.take(pull, message, 0);
      await bench.scheduler.run(() => 0);
      return taken;
    };
    const common = { pullId: sentAs, replyTo: 'signed', end: false };
    await take({ ...common, action: 'head', seq: 0, status: 200, headers: [] });
    let seq = 1;
    for (; seq <= 47; seq += 1) {
      expect(await take({ ...common, action: 'body', seq, body: Buffer.alloc(22_000) })).toBe(
        'more',
      );
    }
    const limits = bench.said.map((message) => message.action === 'credit' && message.limit);
    expect(limits).toEqual(Array.from({ length: 46 }, (_, at) => (at + 2) * 22_000 + 88_000));
    const last = { ...common, action: 'body', seq, body: Buffer.alloc(22_000), end: true } as const;
    expect(await take(last)).toBe('ended');
    const end = (await bench.plain.queuedPull(pull, 0))?.end;
    expect(end?.fault).toMatchObject({ code: 'reply-too-large' });
    expect(bench.said.at(-1)).toMatchObject({ action: 'cancel' });
  });

  test.each(seeds)(
    'a large request goes in the frames that its agent gave credit for, each once (%i)',
    async (seed) => {
      const bench = new QueueBench(ground);
      const body = randomBytes(300_000);
      const large = { body: new Uint8Array(0), besideBytes: body.length };
      const pull = waiting({ queuedAt: 6_000_000 + seed, owner: `key-${seed}`, ...large });
      const sentAs = newPullId();
      await bench.plain.addPull(pull);
      await bench.plain.markSent(pull, { sentAs, sentAt: 0, answerBy: 1, connectionId: 'c1' });
      await ground.objects.put(requestKey(pull), body);
      const credits = [50_000, 262_144, 200_000, 262_144, 400_000, 400_000];
      const takes = credits.map((limit) => {
        const credit = { action: 'credit', pullId: sentAs, replyTo: 'signed', limit } as const;
        return bench.function().replies.take(pull, credit, 0);
      });
      await bench.scheduler.run(random(seed));
      expect(new Set(await Promise.all(takes))).toEqual(new Set(['more']));
      const frames = bench.said.filter((message) => message.action === 'body');
      const ordered = frames.toSorted((one, other) => one.seq - other.seq);
      expect(ordered.map(({ seq }) => seq)).toEqual(frames.map((_, at) => at + 1));
      expect(Buffer.concat(ordered.map((frame) => frame.body)).equals(body)).toBe(true);
      expect(ordered.map(({ end }) => end).lastIndexOf(false)).toBe(ordered.length - 2);
    },
  );

  test.each(seeds)(
    'a reply by object storage is kept once, whatever function hears of it first (%i)',
    async (seed) => {
      const bench = new QueueBench(ground);
      const pull = waiting({ queuedAt: 4_000_000 + seed, owner: `key-${seed}` });
      const sentAs = newPullId();
      const sending = { sentAs, sentAt: 0, answerBy: 4_000_000_000_000, connectionId: 'c1' };
      await bench.plain.addPull(pull);
      await bench.plain.markSent(pull, sending);
      const body = randomBytes(100_000);
      await ground.objects.put(replyKey(sentAs), body); // what the agent has put by the time it says `complete`
      const common = { pullId: sentAs, replyTo: 'signed' };
      const sha256 = createHash('sha256').update(body).digest('hex');
      const length = body.length;
      const messages: ReplyMessage[] = [
        { ...common, action: 'head', seq: 0, status: 200, headers: [], end: false },
        { ...common, action: 'upload', part: 1, length, sha256, more: false },
        { ...common, action: 'complete', parts: [{ part: 1, etag: `"${sha256}"` }], length },
      ];
      // No part is complete before it was announced: all else may change places.
      await announced(bench, pull, messages[1]);
      const verdicts = [...messages, ...messages].map((message) =>
        bench.function().replies.take(pull, message, 0),
      );
      await bench.scheduler.run(random(seed));
      expect(await Promise.all(verdicts)).toContain('ended');
      const now = await bench.plain.queuedPull(pull, 0);
      expect(now?.end).toMatchObject({ state: 'done', reply: { bytes: length, beside: true } });
      expect(await ground.objects.head(replyKey(sentAs))).toBe(length);
      expect(bench.said.map(({ action }) => action)).not.toContain('cancel');
    },
  );

  test.each([
    ['cannot be posted', 'POST', 'unknown', 'outcome-unknown', 7_000_001],
    ['cannot be posted', 'QUERY', 'queued', undefined, 7_000_002],
    ['is gone from the storage', 'POST', 'failed', 'upload-broken', 7_000_003],
  ] as const)('a body that %s: its %s is %s', async (what, method, state, code, queuedAt) => {
    const bench = new QueueBench(ground);
    const large = { method, body: new Uint8Array(0), besideBytes: 100_000 };
    const pull = waiting({ queuedAt, ...large });
    const sentAs = newPullId();
    await bench.plain.addPull(pull);
    await bench.plain.markSent(pull, { sentAs, sentAt: 0, answerBy: 1, connectionId: 'c1' });
    if (what === 'cannot be posted') {
      await ground.objects.put(requestKey(pull), randomBytes(100_000));
      bench.sayFails = new PostError('full', 'the gateway answered 429');
    }
    const credit = { action: 'credit', pullId: sentAs, replyTo: 'signed', limit: 262_144 } as const;
    const taken = bench.function().replies.take(pull, credit, 0);
    await bench.scheduler.run(() => 0);
    expect(await taken).toBe('ended');
    const now = await bench.plain.queuedPull(pull, 0);
    expect([now?.state, now?.end?.fault?.code]).toEqual([state, code]);
  });
});

async function announced(bench: QueueBench, pull: QueuedPull, message?: ReplyMessage) {
  if (message === undefined) return;
  const first = bench.function().replies.take(pull, message, 0);
  await bench.scheduler.run(() => 0);
  await first;
  expect(bench.said).toMatchObject([{ action: 'put', part: 1 }]);
}
