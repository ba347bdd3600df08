import { once } from 'node:events';
import type { Socket } from 'node:net';
import { type Hello, type Pull, type RelayMessage, systemClock } from '@pullwire/shared';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PullLink, PullMessage, PullReceiver } from '../pull/pull-link.ts';
import { AgentLink, type AgentLinkOptions, type FinalRefusal } from './agent-link.ts';
import { FakeRelay, type RelayEnd } from './fake-relay.ts';

const hello: Hello = {
  action: 'hello',
  version: 1,
  agent: 'pullwire-agent/test',
  device: 'plant-7',
  instance: 'main',
  sources: [{ name: 'metrics', kind: 'http', methods: ['GET'] }],
  labels: {},
  features: [],
};
const pull: Pull = {
  action: 'pull',
  pullId: 'AAECAwQFBgcICQoLDA0ODw',
  replyTo: 'r1',
  seq: 0,
  source: 'metrics',
  method: 'GET',
  path: '/metrics',
  headers: [],
  deadlineMs: 30_000,
  credit: 524_288,
  caller: 'ops',
  end: true,
};
const ofPull = { pullId: pull.pullId, replyTo: pull.replyTo };

/** Pulls as a link sees them. */
class Desk implements PullReceiver {
  readonly received: PullMessage[] = [];
  readonly lostLinks: PullLink[] = [];
  readonly rooms: string[] = [];
  link: PullLink | undefined;
  inFlight = 0;
  drainDone: Promise<void> = Promise.resolve();
  onReceive: (message: PullMessage, link: PullLink) => void = () => {};
  readonly drainCalled = Promise.withResolvers<void>();

  receive(message: PullMessage, link: PullLink): void {
    this.received.push(message);
    this.link = link;
    this.onReceive(message, link);
  }
  room(pullId: string): void {
    this.rooms.push(pullId);
  }
  lost(link: PullLink): void {
    this.lostLinks.push(link);
  }
  drain(): Promise<void> {
    this.drainCalled.resolve();
    return this.drainDone;
  }
}

let relay: FakeRelay;
let desk: Desk;
let agent: AgentLink;
let states: string[];
let logged: string[];
let finals: FinalRefusal[];
let token: number;

beforeEach(async () => {
  relay = new FakeRelay();
  await relay.start();
  desk = new Desk();
  states = [];
  logged = [];
  finals = [];
  token = 0;
});

afterEach(async () => {
  await agent.stop();
  await relay.stop();
});

function start(over: Partial<AgentLinkOptions> = {}): AgentLink {
  agent = new AgentLink({
    url: relay.url,
    subprotocols: ['pullwire.v1+bin', 'pullwire.v1+json'],
    hello,
    receiver: desk,
    dial: async () => ({ headers: { authorization: `Bearer secret-${++token}` } }),
    redial: { baseMs: 1, capMs: 1, stableMs: 30_000 },
    heartbeat: { minMs: 10, maxMs: 600_000 },
    limits: { handshakeMs: 5_000, welcomeMs: 5_000, drainMs: 5_000, closeMs: 500 },
    clock: systemClock,
    random: () => 0,
    logger: pino({ level: 'debug' }, { write: (line: string) => logged.push(line) }),
    onState: (state) => states.push(state),
    onFinal: (refusal) => finals.push(refusal),
    ...over,
  });
  agent.start();
  return agent;
}

/** Resolves when the desk has received a message. */
function received(): Promise<PullLink> {
  return new Promise((resolve) => {
    desk.onReceive = (_message, link) => resolve(link);
  });
}

async function askAndTake(link: RelayEnd): Promise<PullLink> {
  const arrived = received();
  link.send(pull);
  return arrived;
}

describe.each(['pullwire.v1+bin', 'pullwire.v1+json'] as const)('a link that speaks %s', (spoken) => {
  it('greets, takes a pull and carries the reply back', async () => {
    start({ subprotocols: [spoken] });
    const link = await relay.link();
    expect(await link.next('hello')).toEqual(hello);
    link.send(await welcomeOf({}));
    const way = await askAndTake(link);
    expect(desk.received).toEqual([pull]);
    const body = Buffer.alloc(16_000, 7);
    way.data(pull.pullId, { action: 'head', ...ofPull, seq: 0, status: 200, headers: [], end: false }, 0);
    way.data(pull.pullId, { action: 'body', ...ofPull, seq: 1, end: true, body }, body.length);
    expect(await link.next('head')).toMatchObject({ status: 200, replyTo: 'r1' });
    const piece = await link.next('body');
    expect(Buffer.compare(piece.body, body)).toBe(0);
    expect(states).toEqual(['dialling', 'greeting', 'open']);
    expect(way.subprotocol).toBe(spoken);
  });
});

async function welcomeOf(over: Partial<Extract<RelayMessage, { action: 'welcome' }>>) {
  const { plainWelcome } = await import('./fake-relay.ts');
  return { ...plainWelcome, ...over };
}

describe('AgentLink', () => {
  it('lets control overtake data that waits', async () => {
    start();
    const link = await relay.welcome();
    const way = await askAndTake(link);
    const raw = (link.ws as unknown as { _socket: Socket })._socket;
    raw.pause();
    const piece = Buffer.alloc(65_536);
    let pieces = 0;
    // Until the kernel, the socket and the queue are full: then the pull is told to wait.
    while (way.data(pull.pullId, { action: 'body', ...ofPull, seq: ++pieces, end: false, body: piece }, 65_536));
    way.control({ action: 'credit', pullId: 'AAAAAAAAAAAAAAAAAAAAAA', replyTo: 'r2', limit: 1 });
    expect(agent.snapshot().waitingBytes).toBeGreaterThan(262_144);
    raw.resume();
    let before = 0;
    for (let seen = 0; seen <= pieces; seen += 1) {
      const message = await link.next(seen === before ? 'body' : 'body').catch(() => undefined);
      if (message === undefined) break;
      before = seen + 1;
    }
    expect(before).toBeLessThan(pieces);
  });
});
