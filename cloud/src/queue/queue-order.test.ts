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

let ground: QueueGround;

describe('whatever the order of their calls', () => {
  beforeAll(async () => {
    ground = await QueueGround.start();
  });
  afterAll(() => ground.stop());

  test.each(seeds)(
    'of three functions that hear of a link at once one sends each POST (%i)',
    async (seed) => {
      const bench = new QueueBench(ground);
      const pulls = [1, 2, 3].map((at) => waiting({ queuedAt: seed * 100 + at, path: `/${at}` }));
      for (const pull of pulls) await bench.plain.addPull(pull);
      const all = [1, 2, 3].map(() => bench.function().deliver('plant-7'));
      await bench.scheduler.run(random(seed));
      await Promise.all(all);
      expect(bench.sent).toEqual({ '/1': 1, '/2': 1, '/3': 1 });
      for (const pull of pulls) {
        const now = await bench.plain.queuedPull(pull, 0);
        expect(now).toMatchObject({ state: 'sent', sends: 1 });
        if (now?.sending) await bench.plain.endPull(pull, now.sending, lost, 1);
      }
    },
  );

  test.each(seeds)(
    'a pull is cancelled or answered, and never sent after either (%i)',
    async (seed) => {
      const bench = new QueueBench(ground);
      const pull = waiting({ queuedAt: 1_000_000 + seed, path: '/x' });
      await bench.plain.addPull(pull);
      const work = [
        bench.function().deliver('plant-7'),
        bench.ends.cancel(pull),
        bench.function().deliver('plant-7'),
      ];
      await bench.scheduler.run(random(seed));
      const [, cancelled] = await Promise.all(work);
      expect(bench.sent['/x'] ?? 0).toBe(cancelled ? 0 : 1);
      const now = await bench.plain.queuedPull(pull, 0);
      expect(now?.state).toBe(cancelled ? 'cancelled' : 'sent');
      if (now?.sending) await bench.plain.endPull(pull, now.sending, lost, 1);
    },
  );

  test.each(seeds)(
    'frames that come doubled, at several functions, make one reply (%i)',
    async (seed) => {
      const bench = new QueueBench(ground);
      const pull = waiting({ queuedAt: 2_000_000 + seed });
      const sentAs = newPullId();
      const sending = { sentAs, sentAt: 0, answerBy: 4_000_000_000_000, connectionId: 'c1' };
      await bench.plain.addPull(pull);
      await bench.plain.markSent(pull, sending);
      const common = { pullId: sentAs, replyTo: 'signed' };
      const body = (seq: number): ReplyMessage => ({
        ...{ ...common, action: 'body', seq, end: seq === 2 },
        body: Buffer.from(`part ${seq} `),
      });
      const head: ReplyMessage = {
        ...{ ...common, action: 'head', seq: 0, status: 200 },
        ...{ headers: [], end: false },
      };
      const frames = [body(2), head, body(1), body(2), head, body(1)];
      const verdicts = frames.map((frame) => bench.function().replies.take(pull, frame, 0));
      await bench.scheduler.run(random(seed));
      expect(await Promise.all(verdicts)).toContain('ended');
      const now = await bench.plain.queuedPull(pull, 0);
      expect(now?.end).toMatchObject({ state: 'done', reply: { status: 200, bytes: 14 } });
    },
  );

  test('a POST that was marked by a process that died is unknown, a GET goes again, each by one write', async () => {
    for (const [queuedAt, method, sends, state] of [
      [3_000_001, 'POST', 0, 'unknown'],
      [3_000_002, 'GET', 0, 'queued'],
      [3_000_003, 'GET', 2, 'unknown'],
    ] as const) {
      const bench = new QueueBench(ground);
      const pull = waiting({ queuedAt, method, sends });
      const sending = { sentAs: newPullId(), sentAt: 0, answerBy: 5_000, connectionId: 'c1' };
      await bench.plain.addPull(pull);
      await bench.plain.markSent(pull, sending);
      const marked = await bench.plain.queuedPull(pull, 0);
      if (marked === undefined) throw new Error('it is gone');
      bench.clock.advance(4_000);
      const early = bench.function().settle(marked);
      await bench.scheduler.run(() => 0);
      expect((await early).state).toBe('sent');
      bench.clock.advance(10_000_000);
      const both = [bench.function().settle(marked), bench.function().settle(marked)];
      await bench.scheduler.run(() => 0);
      for (const settled of await Promise.all(both)) expect(settled.state).toBe(state);
      expect(bench.sent).toEqual({});
      const left = await bench.plain.queuedPull(pull, 0);
      if (left?.state === 'queued') await bench.plain.endPull(left, 'queued', lost, 1);
    }
  });
});

const lost = { state: 'failed', endedAt: 1 } as const;
