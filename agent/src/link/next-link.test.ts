import { ManualClock } from '@pullwire/shared/manual-clock';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PullLink, PullMessage, PullReceiver } from '../pull/pull-link.ts';
import { AgentLink, type FinalRefusal } from './agent-link.ts';
import { FakeRelay, plainHello, plainPull, plainWelcome, type RelayEnd } from './fake-relay.ts';
import { plainPace } from './plain-pace.ts';

const lifeMs = 100_000;
/** With a chance of 0. */
const replacedAfterMs = 70_000;
const quietMs = 2_000;

/** Pulls that run until the test ends them. */
class Desk implements PullReceiver {
  readonly running: PullLink[] = [];
  readonly lostLinks: PullLink[] = [];
  #arrived: (() => void) | undefined;

  receive(_message: PullMessage, link: PullLink): void {
    this.running.push(link);
    this.#arrived?.();
  }
  /** Resolves when this many run. */
  async count(pulls: number): Promise<void> {
    while (this.running.length < pulls) {
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
    }
  }
  room(): void {}
  lost(link: PullLink): void {
    this.lostLinks.push(link);
  }
  async drain(): Promise<void> {}
  get inFlight(): number {
    return this.running.length;
  }
  inFlightOn(link: PullLink): number {
    return this.running.filter((other) => other === link).length;
  }
}

let relay: FakeRelay;
let desk: Desk;
let clock: ManualClock;
let agent: AgentLink;
let states: string[];
let finals: FinalRefusal[];
let lines: string[];
let look: () => void;
let runs: number;

beforeEach(async () => {
  relay = new FakeRelay();
  await relay.start();
  desk = new Desk();
  clock = new ManualClock();
  states = [];
  runs = 0;
  finals = [];
  lines = [];
  look = () => {};
  agent = new AgentLink({
    url: relay.url,
    subprotocols: ['pullwire.v1+bin'],
    hello: plainHello,
    receiver: desk,
    dial: async () => ({ headers: { authorization: 'Bearer t' } }),
    redial: { baseMs: 1_000, capMs: 1_000, stableMs: 30_000 },
    pace: plainPace({ minMs: 1, maxMs: 600_000 }),
    limits: { handshakeMs: 5_000, welcomeMs: 5_000, drainMs: 5_000, closeMs: 500 },
    clock,
    random: () => 0,
    newRun: () => `run-of-16-letters-${++runs}`,
    logger: pino({ level: 'debug' }, { write: (line: string) => logged(line) }),
    onState: (state) => states.push(state),
    onFinal: (refusal) => finals.push(refusal),
  });
  agent.start();
});

afterEach(async () => {
  desk.running.length = 0;
  await agent.stop();
  await relay.stop();
  expect(clock.pending).toBe(0);
});

function logged(line: string): void {
  lines.push(line);
  look();
}

/** Resolves when this many lines hold the text. */
async function log(text: string, times = 1): Promise<void> {
  while (lines.filter((line) => line.includes(text)).length < times) {
    await new Promise<void>((resolve) => {
      look = resolve;
    });
  }
}

async function first(): Promise<RelayEnd> {
  const link = await relay.welcome({ endOfLifeMs: lifeMs });
  await log('link open');
  return link;
}

/** The first link has a successor. */
async function both(): Promise<{ before: RelayEnd; next: RelayEnd }> {
  const before = await first();
  clock.advance(replacedAfterMs);
  const next = await relay.welcome({ endOfLifeMs: lifeMs });
  await before.next('drain');
  return { before, next };
}

describe('before the end of its life', () => {
  it('a link gets a successor of the same run, and says drain when that is welcomed', async () => {
    const before = await relay.link();
    const { run } = await before.next('hello');
    before.send({ ...plainWelcome, endOfLifeMs: lifeMs });
    await log('link open');
    clock.advance(replacedAfterMs - 1);
    expect(relay.requests).toHaveLength(1);
    clock.advance(1);
    const next = await relay.link();
    expect((await next.next('hello')).run).toBe(run);
    expect(agent.snapshot()).toMatchObject({ state: 'open', retiring: 0 });
    next.send({ ...plainWelcome, endOfLifeMs: lifeMs });
    await before.next('drain');
    expect(agent.snapshot()).toMatchObject({ state: 'open', retiring: 1 });
    expect(states.filter((state) => state === 'closed')).toEqual([]);
  });

  it('a link that was replaced ends with bye drained when it has been quiet', async () => {
    const { before } = await both();
    clock.advance(quietMs);
    expect(await before.next('bye')).toMatchObject({ code: 'drained' });
    await before.closed;
    await expect.poll(() => agent.snapshot().retiring).toBe(0);
    expect(agent.snapshot()).toMatchObject({ state: 'open', counters: { dials: 2, replaced: 1 } });
  });

  it('pulls that still come over the old link are taken, and it stays until they have ended', async () => {
    const { before } = await both();
    clock.advance(quietMs - 500);
    before.send(plainPull);
    await desk.count(1);
    for (let i = 0; i < 20; i += 1) clock.advance(1_000);
    expect(agent.snapshot().retiring).toBe(1);
    desk.running.length = 0;
    clock.advance(500);
    clock.advance(quietMs);
    expect(await before.next('bye')).toMatchObject({ code: 'drained' });
  });

  it('the successor has a successor', async () => {
    const { next } = await both();
    clock.advance(quietMs);
    clock.advance(replacedAfterMs - quietMs);
    const third = await relay.welcome();
    await next.next('drain');
    third.send(plainPull);
    await desk.count(1);
    expect(agent.snapshot().counters).toMatchObject({ dials: 3, links: 3, replaced: 2 });
  });

  it('a successor that is refused is dialled again while the link goes on', async () => {
    const before = await first();
    relay.refusals.push({ status: 503 }, { status: 503 });
    clock.advance(replacedAfterMs);
    await log('the relay answered 503');
    before.send(plainPull);
    await desk.count(1);
    clock.advance(1_000);
    await log('the relay answered 503', 2);
    clock.advance(1_000);
    await relay.welcome();
    await before.next('drain');
    expect(agent.snapshot()).toMatchObject({ state: 'open', retiring: 1 });
  });

  it('a link that dies before its successor is open is not dialled again beside it', async () => {
    const before = await first();
    clock.advance(replacedAfterMs);
    const next = await relay.link();
    const { run } = await next.next('hello');
    before.ws.terminate();
    await log('ended before the next one was open');
    expect(agent.snapshot()).toMatchObject({ state: 'greeting', retiring: 0 });
    next.send(plainWelcome);
    // It succeeds nothing any more: a relay that believes in the one before is told.
    expect((await next.next('hello')).run).not.toBe(run);
    await log('link open', 2);
    clock.advance(600_000 / 20);
    expect(relay.requests).toHaveLength(2);
    expect(agent.state).toBe('open');
  });

  it('the death of a link that was replaced changes nothing', async () => {
    const { before, next } = await both();
    before.ws.terminate();
    await expect.poll(() => agent.snapshot().retiring).toBe(0);
    expect(desk.lostLinks).toHaveLength(1);
    next.send(plainPull);
    await desk.count(1);
    expect(agent.state).toBe('open');
    expect(relay.requests).toHaveLength(2);
  });
});

describe('after a loss', () => {
  it('a link is of another run: the relay must not believe in the one before', async () => {
    const before = await relay.link();
    const { run } = await before.next('hello');
    before.send(plainWelcome);
    await log('link open');
    before.ws.terminate();
    await log('dialling again');
    clock.advance(1_000);
    const next = await relay.link();
    expect((await next.next('hello')).run).not.toBe(run);
  });
});

describe('a drain by the relay', () => {
  it('gets the next link, and the old one finishes its pulls', async () => {
    const before = await relay.welcome();
    await log('link open');
    clock.advance(10_000);
    before.send(plainPull);
    await desk.count(1);
    before.send({ action: 'drain', withinMs: 10_000 });
    await log('the relay will close this link');
    clock.advance(0);
    await relay.welcome();
    await before.next('drain');
    for (let i = 0; i < 8; i += 1) clock.advance(1_000);
    expect(agent.snapshot().retiring).toBe(1);
    desk.running.length = 0;
    for (let i = 0; i < 4; i += 1) clock.advance(quietMs);
    expect(await before.next('bye')).toMatchObject({ code: 'drained' });
  });

  it('cannot make the agent dial more than once a second', async () => {
    const before = await relay.welcome();
    await log('link open');
    before.send({ action: 'drain', withinMs: 0 });
    await log('the relay will close this link');
    clock.advance(999);
    expect(relay.requests).toHaveLength(1);
    clock.advance(1);
    await relay.welcome();
    await before.next('drain');
  });
});

describe('the end of the agent', () => {
  it('says bye on every link that it has', async () => {
    const { before, next } = await both();
    const stopped = agent.stop();
    await next.next('drain');
    expect(await next.next('bye')).toMatchObject({ code: 'drained' });
    expect(await before.next('bye')).toMatchObject({ code: 'drained' });
    await stopped;
    expect(agent.snapshot()).toMatchObject({ state: 'closed', retiring: 0 });
  });

  it('while the next link is dialled leaves nothing behind', async () => {
    const before = await first();
    clock.advance(replacedAfterMs);
    const next = await relay.link();
    await next.next('hello');
    await agent.stop();
    await Promise.all([before.closed, next.closed]);
    expect(relay.openSockets).toBe(0);
  });

  it('a refusal for good of the next link ends it', async () => {
    await first();
    relay.refusals.push({ status: 403, headers: { 'Pullwire-Answered-By': 'relay' } });
    clock.advance(replacedAfterMs);
    await log('for good');
    expect(finals).toMatchObject([{ exitCode: 77 }]);
  });
});
