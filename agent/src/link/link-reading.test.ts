import { systemClock } from '@pullwire/shared';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PullMessage, PullReceiver } from '../pull/pull-link.ts';
import type { ReadingLink, ReadingReceiver } from '../reading/reading-link.ts';
import { AgentLink } from './agent-link.ts';
import { FakeRelay, plainHello, plainPull, plainWelcome } from './fake-relay.ts';
import type { Link } from './link.ts';
import { plainPace } from './plain-pace.ts';

/** What a link tells whoever sends readings, and the pulls that it brings; over a real socket. */
class Told implements ReadingReceiver {
  readonly words: string[] = [];
  readonly links: ReadingLink[] = [];
  #changed = Promise.withResolvers<void>();

  opened(link: ReadingLink): void {
    this.links.push(link);
    this.#say('opened');
  }

  stored({ batch }: { batch: number }): void {
    this.#say(`stored ${batch}`);
  }

  held({ batch, retryAfterMs }: { batch: number; retryAfterMs: number }): void {
    this.#say(`held ${batch} for ${retryAfterMs}`);
  }

  room(): void {
    this.#say('room');
  }

  lost(): void {
    this.#say('lost');
  }

  async until(word: string): Promise<void> {
    while (!this.words.includes(word)) await this.#changed.promise;
  }

  #say(word: string): void {
    this.words.push(word);
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

class Pulls implements PullReceiver {
  readonly inFlight = 0;
  readonly came = Promise.withResolvers<Link>();

  receive(_message: PullMessage, link: Parameters<PullReceiver['receive']>[1]): void {
    // Links of this test are `Link`s.
    this.came.resolve(link as Link);
  }

  inFlightOn(): number {
    return 0;
  }

  room(): void {}
  lost(): void {}
  async drain(): Promise<void> {}
}

let relay: FakeRelay;
let told: Told;
let pulls: Pulls;
let agent: AgentLink;

const reading = (batch: number, bytes: number) => {
  const entry = {
    schedule: 'a',
    at: batch,
    source: 's',
    path: '/',
    ms: 1,
    status: 200,
    headers: [],
  };
  const body = Buffer.alloc(bytes);
  return { action: 'reading', batch, readings: [{ ...entry, length: bytes }], body } as const;
};

beforeEach(async () => {
  relay = new FakeRelay();
  await relay.start();
  told = new Told();
  pulls = new Pulls();
  agent = new AgentLink({
    url: relay.url,
    subprotocols: ['pullwire.v1+bin'],
    hello: plainHello,
    receiver: pulls,
    readings: told,
    dial: async () => ({ headers: {} }),
    redial: { baseMs: 1, capMs: 1, stableMs: 30_000 },
    pace: plainPace({ minMs: 1, maxMs: 600_000 }),
    limits: { handshakeMs: 5_000, welcomeMs: 5_000, drainMs: 100, closeMs: 100 },
    clock: systemClock,
    random: () => 0,
    newRun: () => 'run-of-16-letters',
    logger: pino({ level: 'silent' }),
    onFinal: () => {},
  });
  agent.start();
});

afterEach(async () => {
  await agent.stop();
  await relay.stop();
});

describe('a link and readings', () => {
  it('tells that it opened, what was stored, and that it was lost', async () => {
    const link = await relay.welcome({ features: ['readings'] });
    await told.until('opened');
    expect(told.links[0]?.reading(reading(1, 10))).toBe(true);
    expect(await link.next('reading')).toEqual(reading(1, 10));
    link.send({ action: 'stored', batch: 1 });
    await told.until('stored 1');
    link.ws.terminate();
    await told.until('lost');
    expect(told.links[0]?.reading(reading(2, 10))).toBe(false);
  });

  it('says nothing of readings where the relay keeps none, also where it says stored', async () => {
    const link = await relay.welcome();
    link.send({ action: 'stored', batch: 1 });
    link.send(plainPull);
    await pulls.came.promise;
    expect(told.words).toEqual([]);
    expect(agent.snapshot().counters.ignored).toBe(1);
  });

  it('tells what is to come later, where the relay announced that it may say so', async () => {
    const held = {
      action: 'held',
      retryAfterMs: 900_000,
      code: 'quota-full',
      detail: 'd',
    } as const;
    const link = await relay.welcome({ features: ['readings'] });
    await told.until('opened');
    link.send({ ...held, batch: 1 });
    link.send({ ...plainWelcome, features: ['hold', 'readings'] });
    link.send({ ...held, batch: 2 });
    await told.until('held 2 for 900000');
    expect(told.words).not.toContain('held 1 for 900000');
    expect(agent.snapshot().counters.ignored).toBe(1);
  });

  it('a relay may begin to keep them with a later welcome', async () => {
    const link = await relay.welcome();
    link.send({ ...plainWelcome, features: ['readings'] });
    await told.until('opened');
  });

  it('lets none go ahead of what a pull has to send, and says when there is room', async () => {
    const end = await relay.welcome({ features: ['readings'] });
    end.send(plainPull);
    const link = await pulls.came.promise;
    end.transport.pause();
    const { pullId, replyTo } = plainPull;
    let seq = 0;
    const body = Buffer.alloc(65_536);
    const head = {
      action: 'head',
      pullId,
      replyTo,
      seq: 0,
      status: 200,
      headers: [],
      end: false,
    } as const;
    let hasRoom = link.data(pullId, head, 128);
    while (hasRoom) {
      seq += 1;
      hasRoom = link.data(
        pullId,
        { action: 'body', pullId, replyTo, seq, end: false, body },
        body.length,
      );
      // What the system takes, it takes between turns.
      await new Promise(setImmediate);
    }
    expect(link.reading(reading(1, 10))).toBe(false);
    told.words.length = 0;
    end.transport.resume();
    await told.until('room');
    expect(link.reading(reading(1, 10))).toBe(true);
    const actions: string[] = [];
    while (actions.at(-1) !== 'reading') actions.push((await end.receive()).action);
    expect(actions).toEqual(['head', ...Array.from({ length: seq }, () => 'body'), 'reading']);
  });

  it('lets a pull go ahead of all but what the socket has of a backlog', async () => {
    const end = await relay.welcome({ features: ['readings'] });
    end.send(plainPull);
    const link = await pulls.came.promise;
    end.transport.pause();
    let batches = 0;
    while (link.reading(reading(batches + 1, 65_000))) {
      batches += 1;
      await new Promise(setImmediate);
    }
    // A socket that is full holds one batch at most beyond what the system took.
    expect(link.waitingBytes).toBeLessThan(140_000);
    const { pullId, replyTo } = plainPull;
    link.data(
      pullId,
      { action: 'head', pullId, replyTo, seq: 0, status: 200, headers: [], end: true },
      128,
    );
    end.transport.resume();
    const actions: string[] = [];
    while (actions.at(-1) !== 'head') actions.push((await end.receive()).action);
    expect(actions).toHaveLength(batches + 1);
    await told.until('room');
  });
});
