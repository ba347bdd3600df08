import { randomBytes } from 'node:crypto';
import {
  type Pull,
  PullFault,
  pullIds,
  type ReplyMessage,
  type Subprotocol,
} from '@pullwire/shared';
import { ManualClock } from '@pullwire/shared/manual-clock';
import { describe, expect, test } from 'vitest';
import { FakeExchange, type FakeExchangeInit } from '../../test/fake-exchange.ts';
import { FakeTarget } from '../../test/fake-target.ts';
import { grantedRequest } from '../../test/granted-request.ts';
import { ReplyDesk } from '../reply/reply-desk.ts';
import { mintReplyTo, replyToKey } from '../reply/reply-to.ts';
import { PullDispatch } from './pull-dispatch.ts';
import type { PullOutcome } from './pull-outcome.ts';
import type { Patience, PullableDevice } from './pull-target.ts';
import { PullTickets } from './pull-tickets.ts';
import { WindowBudget } from './window-budget.ts';

interface BenchInit {
  /** How the second instance's link speaks. */
  readonly second?: Subprotocol;
  /** Resolves when the device is looked for again. */
  readonly looksUp?: Promise<void>;
  /** The device has no link when it is looked for again; resolves when `b` is its next one. */
  readonly back?: Promise<void>;
}

/** A device with the instances `a`, where every pull goes first, and `b`. */
function bench({ second = 'pullwire.v1+bin', looksUp, back }: BenchInit = {}) {
  const clock = new ManualClock();
  const key = replyToKey('1', Buffer.alloc(32, 1));
  const replies = new ReplyDesk([key], () => 0);
  const windows = new WindowBudget(100);
  const outcomes: PullOutcome[] = [];
  const looks: string[] = [];
  const a = new FakeTarget();
  const b = new FakeTarget('plant-7', ['metrics'], second);
  Object.assign(a, { instance: 'a', connectionId: 'ca' });
  Object.assign(b, { instance: 'b', connectionId: 'cb' });
  const device: PullableDevice = { ...grantedRequest().device, targets: [a, b] };
  const look = (how: string) => {
    looks.push(how);
    if (back !== undefined) return { ...device, targets: [] };
    return looksUp === undefined ? device : looksUp.then(() => device);
  };
  const returning = (away: PullableDevice, { leftMs }: Patience) => {
    looks.push(`${away.targets.length} links, ${leftMs} ms`);
    return back?.then(() => ({ ...device, targets: [b] }));
  };
  const dispatch = new PullDispatch({
    returning: { returning },
    devices: { find: () => look('find'), findAnew: () => look('find anew') },
    replies,
    clock,
    limits: {
      defaultDeadlineMs: 10_000,
      maxDeadlineMs: 60_000,
      requestBodyBytes: 1_000_000,
      pullsPerLink: 2,
      pullsPerCaller: 2,
    },
    windows,
    tickets: new PullTickets({
      newPullId: pullIds(randomBytes),
      replyTo: (address) => mintReplyTo(key, { ...address, host: 'h' }),
      wall: () => clock.wall(),
    }),
    random: () => 0.999,
    ended: (outcome) => outcomes.push(outcome),
  });
  const pulls = (target: FakeTarget) => target.sent.filter((it) => it.action === 'pull') as Pull[];
  return {
    ...{ clock, replies, outcomes, looks, a, b },
    pull(init?: FakeExchangeInit) {
      const exchange = new FakeExchange(init);
      const request = { ...grantedRequest(exchange), device, receivedAt: clock.monotonic() };
      dispatch.begin(request, { limit: { bytes: 1_000_000, advice: '' }, upload: undefined });
      return exchange;
    },
    /** A frame about the last pull that went to this instance. */
    reply(target: FakeTarget, message: object) {
      const { pullId, replyTo } = pulls(target).at(-1) as Pull;
      const frame = { pullId, replyTo, ...message } as ReplyMessage;
      replies.receive(frame, { device: 'plant-7', connectionId: target.connectionId });
    },
    pulls,
    /** What is held or counted for pulls: nothing when all have ended. */
    held: () => [replies.size, a.inFlight + b.inFlight, clock.pending, dispatch.busyCallers],
  };
}

const fault = (code: string) =>
  ({ action: 'fault', code, stage: 'agent-accept', detail: 'd' }) as const;
const head = { action: 'head', seq: 0, status: 200, headers: [], end: true } as const;
const post = { method: 'POST', bodyLength: 3 };
const bytes = (length: number): Uint8Array => Buffer.alloc(length, 'x');

describe('a pull that its first link does not answer', () => {
  test.each(['busy', 'agent-draining'])('%s: is tried on the other instance', (code) => {
    const it = bench();
    const exchange = it.pull();
    it.clock.advance(4_000);
    it.reply(it.a, fault(code));
    const [[first], [second]] = [it.pulls(it.a), it.pulls(it.b)] as [[Pull], [Pull]];
    expect(second).toEqual({
      ...first,
      pullId: second.pullId,
      replyTo: second.replyTo,
      deadlineMs: 5_500,
    });
    expect(second.pullId).not.toBe(first.pullId);
    expect(it.held()).toEqual([1, 1, 1, 1]);
    it.reply(it.b, head);
    expect(exchange.status).toBe(200);
    expect(exchange.answerHeaders).toContain(second.pullId);
    expect(exchange.answerHeaders).toContain('total;dur=4000.0');
    expect(it.outcomes).toMatchObject([
      { instance: 'a', code, retriedAs: second.pullId },
      { instance: 'b', code: undefined, status: 200, retriedAs: undefined },
    ]);
    expect(it.held()).toEqual([0, 0, 0, 0]);
    expect(it.a.actions).toEqual(['pull']);
  });

  test('is not answered by what the first one still says', () => {
    const it = bench();
    const exchange = it.pull();
    it.a.lose();
    it.reply(it.a, { ...head, status: 418 });
    expect([exchange.status, it.replies.strays.late]).toEqual([undefined, 1]);
    it.reply(it.b, head);
    expect(exchange.status).toBe(200);
  });

  test('is tried once: what the second one says is the answer', () => {
    const it = bench();
    const exchange = it.pull();
    it.a.lose();
    it.reply(it.b, fault('busy'));
    expect(exchange.problem.code).toBe('busy');
    expect(it.outcomes.map(({ code }) => code)).toEqual(['link-lost', 'busy']);
    expect(it.held()).toEqual([0, 0, 0, 0]);
  });

  test('could not be sent: is tried with any method', () => {
    const it = bench();
    it.a.fails = new PullFault('link-full', 'send', { detail: 'd' });
    const exchange = it.pull(post);
    exchange.sink?.chunk(bytes(3));
    exchange.sink?.end([]);
    it.reply(it.b, { ...head, status: 201 });
    expect(exchange.status).toBe(201);
  });

  test('is not tried again where it may act twice', () => {
    const it = bench();
    const exchange = it.pull(post);
    exchange.sink?.chunk(bytes(3));
    exchange.sink?.end([]);
    it.a.lose();
    expect(exchange.problem.code).toBe('link-lost');
    expect(it.b.sent).toEqual([]);
    expect(it.held()).toEqual([0, 0, 0, 0]);
  });

  test('is not tried again where its answer has begun', () => {
    const it = bench();
    const exchange = it.pull();
    it.reply(it.a, { ...head, end: false });
    it.a.lose();
    expect([exchange.broken, it.b.sent.length]).toEqual([true, 0]);
  });

  test.each(['refused-by-policy', 'upstream-unreachable', 'rate-limited'])(
    'ends with what the device says of it: %s',
    (code) => {
      const it = bench();
      const exchange = it.pull();
      it.reply(it.a, fault(code));
      expect([exchange.problem.code, it.b.sent.length]).toEqual([code, 0]);
    },
  );

  test('has its own fault where no other link would do', () => {
    const it = bench();
    it.b.draining = true;
    const exchange = it.pull();
    it.reply(it.a, fault('busy'));
    expect(exchange.problem.code).toBe('busy');
    expect(exchange.answerHeaders).toContain('agent');
    expect(it.outcomes).toMatchObject([{ code: 'busy', retriedAs: undefined }]);
    expect(it.held()).toEqual([0, 0, 0, 0]);
  });

  test('has its own fault where the other link is full', () => {
    const it = bench();
    it.b.begin({ pullId: 'x' } as never);
    it.b.begin({ pullId: 'y' } as never);
    const exchange = it.pull();
    it.reply(it.a, fault('busy'));
    expect([exchange.problem.code, it.b.sent.length]).toEqual(['busy', 0]);
  });

  test('ends at the deadline of the first', () => {
    const it = bench();
    const exchange = it.pull();
    it.clock.advance(9_000);
    it.a.lose();
    it.clock.advance(999);
    expect(exchange.status).toBeUndefined();
    it.clock.advance(1);
    expect(exchange.problem).toMatchObject({
      code: 'deadline-exceeded',
      detail: expect.stringContaining('within 10000 ms'),
    });
    expect(it.b.sent.at(-1)).toMatchObject({ action: 'cancel', reason: 'deadline' });
    expect(it.held()).toEqual([0, 0, 0, 0]);
  });

  test('a caller that leaves cancels the second try', () => {
    const it = bench();
    const exchange = it.pull();
    it.reply(it.a, fault('busy'));
    exchange.leave();
    expect([it.a.actions, it.b.actions]).toEqual([['pull'], ['pull', 'cancel']]);
    expect(it.held()).toEqual([0, 0, 0, 0]);
  });

  test('what may have been taken although its sending failed is cancelled there', () => {
    const it = bench();
    it.pull();
    const [pull] = it.a.pulls.values();
    pull?.sendFailed(new PullFault('link-lost', 'send', { detail: 'the gateway answered 500' }));
    expect(it.a.sent.at(-1)).toMatchObject({ action: 'cancel', reason: 'relay' });
    expect(it.b.actions).toEqual(['pull']);
  });
});

describe('while the device is looked for again', () => {
  const waiting = () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const it = bench({ looksUp: promise });
    const found = async (): Promise<void> => {
      resolve();
      await new Promise((done) => setImmediate(done));
    };
    return { ...it, found };
  };

  test('the pull waits, and counts as one of its caller', async () => {
    const it = waiting();
    const exchange = it.pull();
    it.a.lose();
    expect([it.looks, it.held()]).toEqual([['find anew'], [1, 0, 1, 1]]);
    await it.found();
    it.reply(it.b, head);
    expect([exchange.status, it.held()]).toEqual([200, [0, 0, 0, 0]]);
  });

  test('its load asks for no news of it', () => {
    const it = waiting();
    it.pull();
    it.reply(it.a, fault('busy'));
    expect(it.looks).toEqual(['find']);
  });

  test('a caller that leaves ends it', async () => {
    const it = waiting();
    const exchange = it.pull();
    it.a.lose();
    exchange.leave();
    expect(it.held()).toEqual([0, 0, 0, 0]);
    await it.found();
    expect([it.a.actions, it.b.actions]).toEqual([['pull'], []]);
    expect(it.outcomes).toMatchObject([{ code: 'caller-left', retriedAs: undefined }]);
  });

  test('its time can run out', async () => {
    const it = waiting();
    const exchange = it.pull();
    it.a.lose();
    it.clock.advance(10_000);
    expect(exchange.problem.code).toBe('deadline-exceeded');
    await it.found();
    expect([it.b.sent.length, it.held()]).toEqual([0, [0, 0, 0, 0]]);
  });
});

describe('a pull whose device has lost its only link', () => {
  const waiting = () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const it = bench({ back: promise });
    const comes = async (): Promise<void> => {
      resolve();
      await new Promise((done) => setImmediate(done));
    };
    return { ...it, comes };
  };

  test('waits for the next one, within its deadline, and goes down that', async () => {
    const it = waiting();
    const exchange = it.pull();
    it.clock.advance(4_000);
    it.a.lose();
    expect([it.looks, it.held()]).toEqual([
      ['find anew', '0 links, 6000 ms'],
      [1, 0, 1, 1],
    ]);
    await it.comes();
    expect(it.pulls(it.b)).toMatchObject([{ deadlineMs: 5_500 }]);
    it.reply(it.b, head);
    expect([exchange.status, it.held()]).toEqual([200, [0, 0, 0, 0]]);
  });

  test('does not where it may act twice', async () => {
    const it = waiting();
    const exchange = it.pull(post);
    exchange.sink?.chunk(bytes(3));
    exchange.sink?.end([]);
    it.a.lose();
    await it.comes();
    expect([exchange.problem.code, it.b.sent]).toEqual(['link-lost', []]);
  });

  test('can run out of time', async () => {
    const it = waiting();
    const exchange = it.pull();
    it.a.lose();
    it.clock.advance(10_000);
    await it.comes();
    expect([exchange.problem.code, it.b.sent]).toEqual(['deadline-exceeded', []]);
    expect(it.held()).toEqual([0, 0, 0, 0]);
  });

  test('ends with its caller', async () => {
    const it = waiting();
    const exchange = it.pull();
    it.a.lose();
    exchange.leave();
    await it.comes();
    expect([it.b.sent, it.held()]).toEqual([[], [0, 0, 0, 0]]);
  });
});

describe('the request of a second try', () => {
  test('has the small body of the first', () => {
    const it = bench();
    const exchange = it.pull({ method: 'POST', bodyLength: 4 });
    exchange.sink?.chunk(bytes(4));
    exchange.sink?.end([]);
    it.reply(it.a, fault('busy'));
    expect(it.pulls(it.b)).toMatchObject([{ body: bytes(4), end: true }]);
  });

  test('waits for a small body that is still on its way', () => {
    const it = bench();
    const exchange = it.pull({ method: 'POST', bodyLength: 4 });
    exchange.sink?.chunk(bytes(2));
    it.a.lose();
    expect(it.b.sent).toEqual([]);
    exchange.sink?.chunk(bytes(2));
    exchange.sink?.end([]);
    expect([it.a.sent.length, it.pulls(it.b)]).toMatchObject([0, [{ body: bytes(4), end: true }]]);
  });

  test('lets a body flow that is too large for one frame of the other link', () => {
    const it = bench({ second: 'pullwire.v1+json' });
    const exchange = it.pull({ method: 'POST', bodyLength: 30_000 });
    exchange.sink?.chunk(bytes(30_000));
    exchange.sink?.end([]);
    expect(it.pulls(it.a)).toMatchObject([{ end: true }]);
    it.reply(it.a, fault('busy'));
    expect(it.pulls(it.b)).toMatchObject([{ end: false }]);
    it.reply(it.b, { action: 'credit', limit: 100_000 });
    const sizes = it.b.sent.map((frame) => ('body' in frame ? frame.body?.length : undefined));
    expect(sizes).toEqual([undefined, 22_000, 8_000]);
    expect(it.b.sent.at(-1)).toMatchObject({ action: 'body', seq: 2, end: true });
  });

  test('begins a body that flows where none of it was sent, credit or not', () => {
    const it = bench();
    const exchange = it.pull({ method: 'PUT', chunked: true, expectsContinue: true });
    it.reply(it.a, { action: 'credit', limit: 100_000 });
    it.reply(it.a, fault('agent-draining'));
    exchange.sink?.chunk(bytes(10));
    expect([it.a.actions, it.b.actions, exchange.reading]).toEqual([['pull'], ['pull'], false]);
    it.reply(it.b, { action: 'credit', limit: 100_000 });
    exchange.sink?.end([]);
    expect(it.b.actions).toEqual(['pull', 'body', 'end']);
  });

  test('begins a body that is empty in the end', () => {
    const it = bench();
    const exchange = it.pull({ method: 'PUT', chunked: true });
    exchange.sink?.end([]);
    it.reply(it.a, fault('busy'));
    expect([it.a.actions, it.b.actions]).toEqual([
      ['pull', 'end'],
      ['pull', 'end'],
    ]);
  });

  test('is not made where a byte of the body was sent', () => {
    const it = bench();
    const exchange = it.pull({ method: 'PUT', chunked: true });
    it.reply(it.a, { action: 'credit', limit: 100_000 });
    exchange.sink?.chunk(bytes(1));
    it.reply(it.a, fault('busy'));
    expect([exchange.problem.code, it.b.sent.length]).toEqual(['busy', 0]);
  });
});
