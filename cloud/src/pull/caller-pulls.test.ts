import { randomBytes } from 'node:crypto';
import { PullFault, pullIds, type ReplyMessage } from '@pullwire/shared';
import { ManualClock } from '@pullwire/shared/manual-clock';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FakeExchange } from '../../test/fake-exchange.ts';
import { FakeTarget } from '../../test/fake-target.ts';
import type { AuthenticatedCaller } from '../auth/callers.ts';
import { routeOf } from '../http/routes.ts';
import { ReplyDesk } from '../reply/reply-desk.ts';
import { mintReplyTo, replyToKey } from '../reply/reply-to.ts';
import { CallerPulls } from './caller-pulls.ts';
import { PullService } from './pull-service.ts';
import { PullTickets } from './pull-tickets.ts';
import { WindowBudget } from './window-budget.ts';

describe('the pulls of a caller', () => {
  it('are as many as the limit, and another caller has its own', () => {
    const pulls = new CallerPulls(2);
    for (const _ of [1, 2]) {
      pulls.check('a');
      pulls.began('a');
    }
    expect(() => pulls.check('a')).toThrow(PullFault);
    pulls.check('b');
    pulls.ended('a');
    pulls.check('a');
    pulls.ended('a');
    expect(pulls.size).toBe(0);
  });

  it('are not bounded where nothing is said', () => {
    const pulls = new CallerPulls();
    for (let at = 0; at < 10_000; at += 1) pulls.began('a');
    pulls.check('a');
  });
});

const limit = 4;

/** A relay with one device that takes everything, and callers by the `Pullwire-Key` that they send. */
function bench() {
  const clock = new ManualClock();
  const key = replyToKey('1', Buffer.alloc(32, 1));
  const target = new FakeTarget();
  const replies = new ReplyDesk([key], () => 0);
  const windows = new WindowBudget(1_000);
  const grants = {
    allows: () => 'allowed',
    uploads: () => 'allowed',
    seesDevice: () => true,
    managesDevice: () => false,
  };
  const counts = { ended: 0, refused: 0 };
  const find = (device: string) => ({
    device,
    labels: {},
    targets: [target],
    offline: { since: undefined, why: '' },
  });
  const service = new PullService({
    callers: {
      authenticate: ({ headers }) => {
        const id = headers[1] ?? '';
        return { id, name: id, grants, credential: 'pullwire-key' } as AuthenticatedCaller;
      },
    },
    devices: { find, findAnew: find },
    queue: { enqueue: async () => undefined },
    random: () => 0,
    replies,
    clock,
    limits: {
      defaultDeadlineMs: 30_000,
      maxDeadlineMs: 60_000,
      requestBodyBytes: 100_000,
      pullsPerLink: 1_000,
      pullsPerCaller: limit,
    },
    windows,
    tickets: new PullTickets({
      newPullId: pullIds(randomBytes),
      replyTo: (address) => mintReplyTo(key, { ...address, host: 'h' }),
      wall: () => clock.wall(),
    }),
    ended: () => {
      counts.ended += 1;
    },
    refused: () => {
      counts.refused += 1;
    },
  });
  const pull = (caller: string, headers: readonly string[] = []): FakeExchange => {
    const exchange = new FakeExchange({ headers: ['Pullwire-Key', caller, ...headers] });
    const route = routeOf(exchange.target);
    if (route.name === 'pull') service.start(exchange, route);
    return exchange;
  };
  const reply = ({ pullId, replyTo }: { pullId: string; replyTo: string }, message: object) =>
    replies.receive({ pullId, replyTo, ...message } as ReplyMessage, {
      device: 'plant-7',
      connectionId: 'c1',
    });
  return { clock, target, replies, windows, counts, service, pull, reply };
}

describe('a caller that is busy', () => {
  it('gets 429 with the time to come again, and others go on', () => {
    const b = bench();
    for (let at = 0; at < limit; at += 1) b.pull('a');
    const refused = b.pull('a');
    expect(refused).toMatchObject({ status: 429, problem: { code: 'caller-busy' } });
    expect(refused.answerHeaders.join(' ')).toContain('Retry-After 1');
    expect(b.pull('b').status).toBeUndefined();
    expect(b.target.inFlight).toBe(limit + 1);
    b.clock.advance(30_000);
    expect(b.pull('a').status).toBeUndefined();
  });

  it('is asked nothing more than that: no credit is taken for a pull that is refused', () => {
    const b = bench();
    for (let at = 0; at < limit; at += 1) b.pull('a');
    const taken = b.windows.takenBytes;
    b.pull('a');
    expect([b.windows.takenBytes, b.replies.size]).toEqual([taken, limit]);
  });

  it('gets its place back where a pull cannot even be begun', () => {
    const b = bench();
    b.target.begin = () => {
      throw new Error('a mistake of ours');
    };
    for (let at = 0; at < 3 * limit; at += 1) expect(b.pull('a').status).toBe(500);
    expect([b.service.busyCallers, b.windows.takenBytes, b.replies.size]).toEqual([0, 0, 0]);
  });

  it('gets every place back, however its pulls end', () => {
    const step = fc.record({
      caller: fc.constantFrom('a', 'b', 'c'),
      end: fc.constantFrom('reply', 'broken', 'fault', 'left', 'lost', 'late', 'large', 'twice'),
      at: fc.nat(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const b = bench();
        const running: FakeExchange[] = [];
        for (const { caller, end, at } of steps) {
          const exchange = b.pull(caller, end === 'large' ? ['X', 'y'.repeat(20_000)] : []);
          if (exchange.status === undefined) running.push(exchange);
          endOne(b, running, end, at);
        }
        b.clock.advance(60_000);
        for (const exchange of running) exchange.leave();
        expect([b.service.busyCallers, b.target.inFlight, b.windows.takenBytes]).toEqual([0, 0, 0]);
        expect(b.counts.ended + b.counts.refused).toBe(steps.length);
      }),
      { numRuns: 100 },
    );
  });
});

/** Ends one of the pulls that run, or does what must not end one twice. */
function endOne(b: ReturnType<typeof bench>, running: FakeExchange[], end: string, at: number) {
  const pulls = b.target.sent.filter((frame) => frame.action === 'pull');
  const pull = pulls[at % Math.max(1, pulls.length)];
  if (pull?.action !== 'pull') return;
  const head = { action: 'head', seq: 0, status: 200, headers: [], end: true };
  switch (end) {
    case 'reply':
      return b.reply(pull, head);
    case 'twice':
      b.reply(pull, head);
      return b.reply(pull, head);
    case 'broken':
      return b.reply(pull, { ...head, seq: 1_000_000 });
    case 'fault':
      return b.reply(pull, { action: 'fault', code: 'busy', stage: 'policy', detail: 'x' });
    case 'left':
      return running[at % Math.max(1, running.length)]?.leave();
    case 'lost':
      for (const linked of [...b.target.pulls.values()]) linked.linkLost('gone');
      return;
    case 'late':
      return b.clock.advance(30_000);
  }
}
