import { randomBytes } from 'node:crypto';
import { type AgentMessage, PullFault, pullIds, type ReplyMessage } from '@pullwire/shared';
import { ManualClock } from '@pullwire/shared/manual-clock';
import { describe, expect, test } from 'vitest';
import { FakeExchange, type FakeExchangeInit } from '../../test/fake-exchange.ts';
import { FakeTarget } from '../../test/fake-target.ts';
import type { AuthenticatedCaller, GrantVerdict } from '../auth/callers.ts';
import { routeOf } from '../http/routes.ts';
import { ReplyDesk } from '../reply/reply-desk.ts';
import { mintReplyTo, replyToKey } from '../reply/reply-to.ts';
import type { PullOutcome } from './pull-outcome.ts';
import { type PullRefusal, PullService, type PullServiceOptions } from './pull-service.ts';
import type { Patience, PullableDevice } from './pull-target.ts';
import { PullTickets } from './pull-tickets.ts';
import { UploadedBody } from './uploaded-body.ts';
import { WindowBudget } from './window-budget.ts';

const windowBytes = 65_536;

function caller(verdict: GrantVerdict): AuthenticatedCaller {
  const grants = {
    allows: () => verdict,
    uploads: () => verdict,
    seesDevice: () => true,
    managesDevice: () => false,
  };
  return { id: 'k', name: 'ops', grants, credential: 'pullwire-key' };
}

interface Bench {
  readonly clock: ManualClock;
  readonly target: FakeTarget;
  readonly replies: ReplyDesk;
  readonly outcomes: PullOutcome[];
  readonly refusals: PullRefusal[];
  pull(init?: FakeExchangeInit): FakeExchange;
  reply(message: Partial<AgentMessage> & { action: string }): void;
}

function bench(
  options: {
    verdict?: GrantVerdict;
    device?: PullableDevice | null;
    deny?: PullFault;
    uploads?: PullServiceOptions['uploads'];
    returning?: PullServiceOptions['returning'];
  } = {},
): Bench {
  const clock = new ManualClock();
  const key = replyToKey('1', Buffer.alloc(32, 1));
  const target = new FakeTarget();
  const replies = new ReplyDesk([key], () => 0);
  const outcomes: PullOutcome[] = [];
  const refusals: PullRefusal[] = [];
  const online: PullableDevice = {
    device: 'plant-7',
    labels: {},
    targets: [target],
    offline: { since: undefined, why: '' },
  };
  const find = () => (options.device === null ? undefined : (options.device ?? online));
  const service = new PullService({
    callers: {
      authenticate: () => {
        if (options.deny !== undefined) throw options.deny;
        return caller(options.verdict ?? 'allowed');
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
      pullsPerLink: 2,
    },
    windows: new WindowBudget(1_000),
    ...(options.uploads === undefined ? undefined : { uploads: options.uploads }),
    ...(options.returning === undefined ? undefined : { returning: options.returning }),
    tickets: new PullTickets({
      newPullId: pullIds(randomBytes),
      replyTo: (address) => mintReplyTo(key, { ...address, host: 'h' }),
      wall: () => clock.wall(),
    }),
    ended: (outcome) => outcomes.push(outcome),
    refused: (refusal) => refusals.push(refusal),
  });
  return {
    clock,
    target,
    replies,
    outcomes,
    refusals,
    pull(init) {
      const exchange = new FakeExchange(init);
      const route = routeOf(exchange.target);
      if (route.name !== 'pull') throw new Error('not a pull');
      service.start(exchange, route);
      return exchange;
    },
    reply(message) {
      const { pullId, replyTo } = target.pull;
      const whole = { pullId, replyTo, ...message } as ReplyMessage;
      replies.receive(whole, { device: 'plant-7', connectionId: 'c1' });
    },
  };
}

const head = { action: 'head', seq: 0, status: 200, headers: [], end: false } as const;
const bytes = (text: string): Uint8Array => Buffer.from(text);

describe('a pull at the relay', () => {
  test('a small reply is one frame each way and one answer', () => {
    const b = bench();
    const exchange = b.pull({
      target: '/devices/plant-7/sources/metrics/a%2Fb?q=1',
      headers: ['Accept', '*/*', 'Pullwire-Key', 'secret', 'Host', 'relay', 'Authorization', 'up'],
    });
    expect(b.target.pull).toMatchObject({
      source: 'metrics',
      method: 'GET',
      path: '/a%2Fb',
      query: 'q=1',
      headers: ['Accept', '*/*', 'Authorization', 'up', 'Via', '1.1 pullwire'],
      deadlineMs: 29_500,
      credit: windowBytes,
      caller: 'ops',
      end: true,
    });
    b.reply({
      ...head,
      headers: ['X-A', '1', 'Set-Cookie', 'a', 'Set-Cookie', 'b', 'Pullwire-Pull', 'forged'],
      body: bytes('hi'),
      end: true,
      timing: { agentMs: 2, upstreamMs: 1.25 },
    });
    expect(exchange).toMatchObject({ status: 200, bodyText: 'hi', ended: true, broken: false });
    expect(exchange.answerHeaders).toEqual([
      ...['X-A', '1', 'Set-Cookie', 'a', 'Set-Cookie', 'b', 'Via', '1.1 pullwire'],
      ...['Pullwire-Answered-By', 'upstream', 'Pullwire-Pull', b.target.pull.pullId],
      ...['Server-Timing', 'total;dur=0.0, agent;dur=2.0, upstream;dur=1.3'],
    ]);
    expect(b.target.actions).toEqual(['pull']);
    expect([b.replies.size, b.target.inFlight, b.clock.pending]).toEqual([0, 0, 0]);
    expect(b.outcomes).toMatchObject([{ status: 200, bytes: 2, code: undefined }]);
  });

  test('frames that come shuffled and twice make the same answer', () => {
    const b = bench();
    const exchange = b.pull();
    const body = (seq: number, text: string, end = false): void =>
      b.reply({ action: 'body', seq, body: bytes(text), end });
    body(2, 'c', true);
    body(1, 'b');
    body(2, 'c', true);
    b.reply({ ...head, body: bytes('a') });
    expect(exchange).toMatchObject({ bodyText: 'abc', ended: true });
    body(1, 'b');
    expect(b.replies.strays.late).toBe(1);
  });

  test('credit opens as the caller takes bytes, and not before', () => {
    const b = bench();
    const exchange = b.pull();
    exchange.takes = false;
    b.reply({ ...head, body: bytes('x'.repeat(60_000)) });
    expect(b.target.actions).toEqual(['pull']);
    exchange.take(20_000);
    expect(b.target.sent[1]).toMatchObject({ action: 'credit', limit: 85_536 });
    exchange.take(10);
    expect(b.target.actions).toEqual(['pull', 'credit']);
  });

  test('an agent that sends beyond its credit breaks the pull, and is told to stop', () => {
    const b = bench();
    const exchange = b.pull();
    exchange.takes = false;
    b.reply({ ...head, body: bytes('x'.repeat(60_000)) });
    b.reply({ action: 'body', seq: 1, body: bytes('x'.repeat(5_537)), end: false });
    expect(exchange).toMatchObject({ broken: true, ended: false });
    expect(b.target.sent.at(-1)).toMatchObject({ action: 'cancel', reason: 'relay' });
    expect(b.outcomes).toMatchObject([{ code: 'protocol-error' }]);
  });

  test.each([
    ['longer', ['Content-Length', '3'], 'abcd'],
    ['shorter', ['Content-Length', '5'], 'abcd'],
    ['with two lengths', ['Content-Length', '4', 'content-length', '4'], 'abcd'],
  ])('a reply %s than it declares is an honest error', (_name, headers, text) => {
    const b = bench();
    const exchange = b.pull();
    b.reply({ ...head, headers, body: bytes(text), end: true });
    expect(exchange.status).toBe(502);
    expect(exchange.problem).toMatchObject({ code: 'protocol-error' });
  });

  test('a reply that ends short after its head is broken off, never ended', () => {
    const b = bench();
    const exchange = b.pull();
    b.reply({ ...head, headers: ['Content-Length', '5'], body: bytes('ab') });
    b.reply({ action: 'end', seq: 1 });
    expect(exchange).toMatchObject({ status: 200, broken: true, ended: false });
  });

  test('the length of a reply to HEAD is not the length of its body', () => {
    const b = bench();
    const exchange = b.pull({ method: 'HEAD' });
    b.reply({ ...head, headers: ['Content-Length', '5'], end: true });
    expect(exchange).toMatchObject({ status: 200, ended: true, bodyText: '' });
  });

  test('trailers reach the caller', () => {
    const b = bench();
    const exchange = b.pull();
    b.reply({ ...head, body: bytes('a') });
    b.reply({ action: 'end', seq: 1, trailers: ['X-Sum', '1'] });
    expect(exchange.trailers).toEqual(['X-Sum', '1']);
  });

  test('a fault of the agent before the head is its problem, with its stage', () => {
    const b = bench();
    const exchange = b.pull();
    const fault = { action: 'fault', code: 'busy', stage: 'agent-accept', detail: 'full' } as const;
    b.reply({ ...fault, retryAfterMs: 2_000, extra: { pulls: 3 } });
    expect(exchange.status).toBe(429);
    expect(exchange.problem).toMatchObject({ code: 'busy', stage: 'agent-accept', pulls: 3 });
    expect(exchange.answerHeaders).toContain('agent');
    expect(b.target.actions).toEqual(['pull']);
  });

  test('a fault after the head breaks the transfer', () => {
    const b = bench();
    const exchange = b.pull();
    b.reply({ ...head, body: bytes('a') });
    b.reply({ action: 'fault', code: 'reply-broken', stage: 'stream', detail: 'cut' });
    expect(exchange).toMatchObject({ broken: true, ended: false });
    expect(b.outcomes).toMatchObject([{ status: 200, code: 'reply-broken', stage: 'stream' }]);
  });

  test('a code that only a newer agent knows is an agent error', () => {
    const b = bench();
    const exchange = b.pull();
    b.reply({ action: 'fault', code: 'quantum', stage: 'upstream', detail: 'd' });
    expect(exchange.problem).toMatchObject({ code: 'agent-error', stage: 'upstream' });
  });

  test('a caller that leaves cancels the pull; late frames are harmless', () => {
    const b = bench();
    const exchange = b.pull();
    b.reply({ ...head, body: bytes('a') });
    exchange.leave();
    expect(b.target.sent.at(-1)).toMatchObject({ action: 'cancel', reason: 'caller-left' });
    b.reply({ action: 'body', seq: 1, body: bytes('b'), end: true });
    expect(exchange.bodyText).toBe('a');
    expect([b.replies.size, b.target.inFlight, b.clock.pending]).toEqual([0, 0, 0]);
  });

  test('the deadline runs until the head, and the agent is told', () => {
    const b = bench();
    const exchange = b.pull({ headers: ['Prefer', 'wait=2'] });
    expect(b.target.pull.deadlineMs).toBe(1_800);
    b.clock.advance(2_000);
    expect(exchange.status).toBe(504);
    expect(exchange.problem).toMatchObject({ code: 'deadline-exceeded', stage: 'deadline' });
    expect(b.target.sent.at(-1)).toMatchObject({ action: 'cancel', reason: 'deadline' });
  });

  test('after the head the deadline is over', () => {
    const b = bench();
    const exchange = b.pull();
    b.reply({ ...head });
    b.clock.advance(100_000);
    expect(exchange.broken).toBe(false);
  });

  test('the longest deadline is the relay’s', () => {
    const b = bench();
    b.pull({ headers: ['Prefer', 'wait=9999'] });
    expect(b.target.pull.deadlineMs).toBe(59_500);
  });

  test('a lost link is a 502 before the head and a broken transfer after it', () => {
    const b = bench();
    const exchange = b.pull();
    for (const pull of b.target.pulls.values()) pull.linkLost('idle');
    expect(exchange.problem).toMatchObject({ code: 'link-lost', stage: 'send' });
    const c = bench();
    const second = c.pull();
    c.reply({ ...head });
    for (const pull of c.target.pulls.values()) pull.linkLost('idle');
    expect(second.broken).toBe(true);
  });
});

describe('a request that goes nowhere', () => {
  test.each([
    ['an unknown device', { device: null }, 404, 'not-found'],
    ['no grant', { verdict: 'no-grant' }, 404, 'not-found'],
    ['a method without grant', { verdict: 'method-not-granted' }, 403, 'method-not-granted'],
    [
      'no valid key',
      { deny: new PullFault('caller-unauthenticated', 'caller-auth', { detail: 'd' }) },
      401,
      'caller-unauthenticated',
    ],
  ] as const)('%s', (_name, options, status, code) => {
    const b = bench(options as Parameters<typeof bench>[0]);
    const exchange = b.pull();
    expect(exchange.status).toBe(status);
    expect(exchange.problem.code).toBe(code);
    expect(b.target.sent).toEqual([]);
    expect(b.refusals).toMatchObject([{ device: 'plant-7', fault: { code } }]);
  });

  test('an unknown device and one without a grant are answered alike', () => {
    const unknown = bench({ device: null }).pull();
    const ungranted = bench({ verdict: 'no-grant' }).pull();
    expect([unknown.bodyText, unknown.answerHeaders]).toEqual([
      ungranted.bodyText,
      ungranted.answerHeaders,
    ]);
  });

  test('an offline device says since when and why', () => {
    const device = {
      device: 'plant-7',
      labels: {},
      targets: [],
      offline: { since: 0, why: 'link-lost' },
    };
    const exchange = bench({ device }).pull();
    expect(exchange.status).toBe(503);
    expect(exchange.problem).toMatchObject({
      code: 'device-offline',
      since: '1970-01-01T00:00:00.000Z',
      why: 'link-lost',
    });
    expect(exchange.answerHeaders).toContain('Retry-After');
  });

  test('an unknown source, a draining agent, a full link', () => {
    const b = bench();
    const unknown = b.pull({ target: '/devices/plant-7/sources/nope/x' });
    expect(unknown.problem.code).toBe('source-unknown');
    b.pull();
    b.pull();
    expect(b.pull().problem.code).toBe('link-full');
    b.target.draining = true;
    expect(b.pull().problem.code).toBe('agent-draining');
  });

  test.each([
    [{ headers: ['Upgrade', 'websocket'] }, 501, 'upgrade-not-supported'],
    [{ headers: ['Expect', 'x'] }, 417, 'expectation-failed'],
    [{ headers: ['Content-Length', '1', 'Content-Length', '1'] }, 400, 'bad-request'],
    [{ headers: ['X', 'y'.repeat(16_400)] }, 431, 'request-head-too-large'],
    [{ method: 'PUT', bodyLength: 100_001 }, 413, 'request-body-too-large'],
  ])('%j', (init, status, code) => {
    const b = bench();
    const exchange = b.pull(init);
    expect(exchange.status).toBe(status);
    expect(exchange.problem.code).toBe(code);
    expect([b.replies.size, b.target.inFlight, b.clock.pending]).toEqual([0, 0, 0]);
  });
});

describe('a request body', () => {
  test('a small one goes inside the pull', () => {
    const b = bench();
    const exchange = b.pull({ method: 'POST', bodyLength: 4 });
    expect(b.target.sent).toEqual([]);
    exchange.sink?.chunk(bytes('ab'));
    exchange.sink?.chunk(bytes('cd'));
    exchange.sink?.end([]);
    expect(Buffer.from(b.target.pull.body ?? []).toString()).toBe('abcd');
    expect(b.target.pull.end).toBe(true);
  });

  test('a large one waits for the agent, and flows under its credit', () => {
    const b = bench();
    const exchange = b.pull({ method: 'PUT', bodyLength: 70_000, expectsContinue: true });
    expect(b.target.pull).toMatchObject({ end: false });
    expect([exchange.proceeded, exchange.reading]).toEqual([0, false]);
    b.reply({ action: 'credit', limit: 66_000 });
    expect([exchange.proceeded, exchange.reading]).toEqual([1, true]);
    exchange.sink?.chunk(bytes('x'.repeat(70_000)));
    expect(b.target.sent.slice(1)).toMatchObject([
      { action: 'body', seq: 1, end: false },
      { action: 'body', seq: 2, end: false },
    ]);
    expect(exchange.reading).toBe(false);
    exchange.sink?.end(['X-Sum', '1']);
    b.reply({ action: 'credit', limit: 70_000 });
    expect(b.target.sent.slice(3)).toMatchObject([
      { action: 'body', seq: 3 },
      { action: 'end', seq: 4, trailers: ['X-Sum', '1'] },
    ]);
  });

  test('a link without room holds the caller', () => {
    const b = bench();
    const exchange = b.pull({ method: 'PUT', chunked: true });
    b.target.hasRoom = false;
    b.reply({ action: 'credit', limit: 50_000 });
    exchange.sink?.chunk(bytes('ab'));
    expect(exchange.reading).toBe(false);
    b.target.hasRoom = true;
    for (const pull of b.target.pulls.values()) pull.room();
    expect(exchange.reading).toBe(true);
  });

  test('one that grows over the limit is a 413, and the agent is told to stop', () => {
    const b = bench();
    const exchange = b.pull({ method: 'PUT', chunked: true });
    exchange.sink?.chunk(bytes('x'.repeat(100_001)));
    expect(exchange.status).toBe(413);
    expect(b.target.actions).toEqual(['pull', 'cancel']);
  });

  test('one that breaks off is never ended at the agent', () => {
    const b = bench();
    const exchange = b.pull({ method: 'PUT', chunked: true });
    b.reply({ action: 'credit', limit: 10 });
    exchange.sink?.chunk(bytes('ab'));
    exchange.sink?.broken();
    expect(b.target.actions).not.toContain('end');
    expect(b.target.sent.at(-1)).toMatchObject({ action: 'cancel' });
  });

  test('a reply that comes early ends the sending', () => {
    const b = bench();
    const exchange = b.pull({ method: 'PUT', chunked: true });
    b.reply({ ...head, status: 201, end: true });
    exchange.sink?.chunk(bytes('ab'));
    exchange.sink?.end([]);
    expect(exchange).toMatchObject({ status: 201, ended: true });
    expect(b.target.actions).toEqual(['pull']);
  });
});

describe('a request whose body was uploaded', () => {
  const headers = ['Pullwire-Upload', 'u1', 'Content-Length', '0', 'Content-Type', 'x/y'];
  const named = { method: 'POST', headers };

  function uploadBench(fault?: PullFault) {
    const work: Promise<unknown>[] = [];
    const removed: string[] = [];
    const found = Promise.withResolvers<void>();
    const { promise: delivered, resolve: deliver } = Promise.withResolvers<void>();
    const body = new UploadedBody({
      upload: { key: 'uploads/u1', length: 80_000 },
      tickets: { take: async () => true },
      store: {
        open: async () => ({ length: 80_000, body: content() }),
        remove: async (key) => {
          removed.push(key);
        },
      },
      track: (running) => work.push(running),
    });
    async function* content() {
      yield Buffer.alloc(80_000, 'z');
      deliver();
    }
    const b = bench({
      uploads: {
        mostBytes: 8_000_000,
        find: async (id, { id: caller }) => {
          setImmediate(found.resolve);
          expect([id, caller]).toEqual(['u1', 'k']);
          if (fault !== undefined) throw fault;
          return body;
        },
      },
    });
    return { ...b, removed, found: found.promise, delivered, done: () => Promise.all(work) };
  }

  test('has the length of what was uploaded, and flows under the agent’s credit', async () => {
    const b = uploadBench();
    const exchange = b.pull(named);
    await b.found;
    expect(b.target.pull).toMatchObject({
      headers: ['Content-Type', 'x/y', 'Content-Length', '80000', 'Via', '1.1 pullwire'],
      end: false,
    });
    b.reply({ action: 'credit', limit: 1_000_000 });
    await b.delivered;
    await b.done();
    expect(b.target.actions).toEqual(['pull', 'body', 'body', 'end']);
    expect(b.removed).toEqual(['uploads/u1']);
    b.reply({ ...head, status: 201, end: true });
    expect([exchange.status, b.replies.size]).toEqual([201, 0]);
  });

  test('leaves the upload alone where the device refuses it', async () => {
    const b = uploadBench();
    const exchange = b.pull(named);
    await b.found;
    b.reply({ action: 'fault', code: 'busy', stage: 'agent-accept', detail: 'd' });
    await b.done();
    expect([exchange.status, b.removed]).toEqual([429, []]);
  });

  test('is refused as what it names is refused', async () => {
    const fault = new PullFault('upload-unknown', 'lookup', { detail: 'd' });
    const b = uploadBench(fault);
    const exchange = b.pull(named);
    await b.found;
    expect(exchange.problem.code).toBe('upload-unknown');
    expect([b.target.actions, b.replies.size, b.refusals.length]).toEqual([[], 0, 1]);
  });

  test('has no other body', () => {
    const b = uploadBench();
    const exchange = b.pull({ ...named, bodyLength: 3 });
    expect(exchange.problem).toMatchObject({ code: 'bad-request' });
  });

  test('is refused where there are no uploads, and is not sent without its body', () => {
    const b = bench();
    expect(b.pull(named).problem).toMatchObject({ code: 'bad-request' });
    expect(b.target.actions).toEqual([]);
  });

  test('is what the refusal of one that is too large points to', () => {
    const { problem } = uploadBench().pull({ method: 'PUT', bodyLength: 100_001 });
    expect(problem.detail).toMatch('up to 8000000 bytes can be uploaded before it (POST /uploads)');
  });
});

describe('a device that may be on its way back', () => {
  const offline = { since: 1, why: 'relay-restarted' };
  const away: PullableDevice = { device: 'plant-7', labels: {}, targets: [], offline };

  function waiting() {
    const back = Promise.withResolvers<PullableDevice | undefined>();
    const asked: Patience[] = [];
    const returning = (_device: PullableDevice, patience: Patience) => {
      asked.push(patience);
      return asked.length === 1 ? back.promise : undefined;
    };
    const b = bench({ device: away, returning: { returning } });
    return { b, asked, come: (device: PullableDevice | undefined) => back.resolve(device) };
  }

  test('is waited for, and the time it took is taken from the deadline', async () => {
    const { b, asked, come } = waiting();
    const exchange = b.pull({ headers: ['Prefer', 'wait=10'] });
    expect([asked, exchange.status]).toEqual([[{ leftMs: 10_000, isAsked: true }], undefined]);
    b.clock.advance(4_000);
    come({ ...away, targets: [b.target] });
    await new Promise((resolve) => setImmediate(resolve));
    expect(b.target.pull.deadlineMs).toBeLessThanOrEqual(6_000);
    b.clock.advance(6_000);
    expect(exchange.status).toBe(504);
  });

  test('is offline where it did not come', async () => {
    const { b, asked, come } = waiting();
    const exchange = b.pull();
    b.clock.advance(15_000);
    come(away);
    await new Promise((resolve) => setImmediate(resolve));
    const isAsked = false;
    expect(asked).toEqual([
      { leftMs: 30_000, isAsked },
      { leftMs: 15_000, isAsked },
    ]);
    expect(exchange.status).toBe(503);
    expect(b.refusals).toMatchObject([{ fault: { code: 'device-offline' } }]);
  });

  test('keeps nobody waiting who may not ask it', () => {
    const asked: string[] = [];
    const returning = ({ device }: PullableDevice) => {
      asked.push(device);
      return undefined;
    };
    const b = bench({ device: away, verdict: 'no-grant', returning: { returning } });
    expect(b.pull().status).toBe(404);
    expect(asked).toEqual([]);
  });
});
