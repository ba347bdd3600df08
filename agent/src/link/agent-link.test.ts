import { once } from 'node:events';
import { type AgentMessage, type ReplyBody, systemClock } from '@pullwire/shared';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PullLink, PullMessage, PullReceiver } from '../pull/pull-link.ts';
import { AgentLink, type AgentLinkOptions, type FinalRefusal } from './agent-link.ts';
import { FakeRelay, plainHello, plainPull, plainWelcome, type RelayEnd } from './fake-relay.ts';
import { meteredPace, plainPace } from './plain-pace.ts';

const hello = {
  ...plainHello,
  sources: [{ name: 'metrics', kind: 'http', methods: ['GET'] }],
};
const pull = plainPull;
const { pullId } = pull;
const ofPull = { pullId: pull.pullId, replyTo: pull.replyTo };

/** Pulls as a link sees them. */
class Desk implements PullReceiver {
  readonly received: PullMessage[] = [];
  readonly lostLinks: PullLink[] = [];
  readonly rooms: string[] = [];
  inFlight = 0;
  /** Pulls under way, by link. */
  readonly onLinks = new Map<PullLink, number>();
  drainDone: Promise<void> = Promise.resolve();
  onReceive: (message: PullMessage, link: PullLink) => void = () => {};

  receive(message: PullMessage, link: PullLink): void {
    this.received.push(message);
    this.onReceive(message, link);
  }
  room(pullId: string): void {
    this.rooms.push(pullId);
  }
  lost(link: PullLink): void {
    this.lostLinks.push(link);
  }
  inFlightOn(link: PullLink): number {
    return this.onLinks.get(link) ?? 0;
  }
  drain(): Promise<void> {
    return this.drainDone;
  }
}

let relay: FakeRelay;
let desk: Desk;
let agent: AgentLink;
let states: string[];
let logged: string[];
let finals: FinalRefusal[];
let final: PromiseWithResolvers<void>;
let token: number;
let onLog: () => void;

beforeEach(async () => {
  relay = new FakeRelay();
  await relay.start();
  desk = new Desk();
  states = [];
  logged = [];
  finals = [];
  final = Promise.withResolvers();
  token = 0;
  onLog = () => {};
});

afterEach(async () => {
  desk.drainDone = Promise.resolve();
  await agent.stop();
  await relay.stop();
  expect(logged.join('')).not.toContain('secret-');
});

const limits = { handshakeMs: 5_000, welcomeMs: 5_000, drainMs: 5_000, closeMs: 500 };

function start(over: Partial<AgentLinkOptions> = {}, signal?: AbortSignal): void {
  agent = new AgentLink({
    url: relay.url,
    subprotocols: ['pullwire.v1+bin', 'pullwire.v1+json'],
    hello,
    receiver: desk,
    dial: async () => ({ headers: { authorization: `Bearer secret-${++token}` } }),
    redial: { baseMs: 1, capMs: 1, stableMs: 30_000 },
    pace: plainPace({ minMs: 1, maxMs: 600_000 }),
    limits,
    clock: systemClock,
    random: () => 0,
    newRun: () => 'run-of-16-letters',
    logger: pino({ level: 'debug' }, { write: writeLog }),
    onState: (state) => states.push(state),
    onFinal: (refusal) => {
      finals.push(refusal);
      final.resolve();
    },
    ...over,
  });
  agent.start(signal);
}

function writeLog(line: string): void {
  logged.push(line);
  onLog();
}

/** The first line whose message holds this text, now or later. */
async function logLine(text: string): Promise<Record<string, unknown>> {
  for (;;) {
    const line = logged.find((candidate) => candidate.includes(text));
    if (line !== undefined) return JSON.parse(line);
    await new Promise<void>((resolve) => {
      onLog = resolve;
    });
  }
}

/** Looks again after each turn of the event loop. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

/** The agent has read `welcome`. */
async function open(): Promise<void> {
  await logLine('link open');
}

/** Sends a pull; the way back that it arrived with. */
function ask(link: RelayEnd): Promise<PullLink> {
  const arrived = new Promise<PullLink>((resolve) => {
    desk.onReceive = (_message, way) => resolve(way);
  });
  link.send(pull);
  return arrived;
}

function piece(seq: number, body: Uint8Array): ReplyBody {
  return { action: 'body', ...ofPull, seq, end: false, body };
}

describe.each(['pullwire.v1+bin', 'pullwire.v1+json'] as const)('a link of %s', (spoken) => {
  it('greets, takes a pull and carries the reply back', async () => {
    start({ subprotocols: [spoken] });
    const link = await relay.link();
    expect(await link.next('hello')).toEqual({ ...hello, run: 'run-of-16-letters' });
    link.send(plainWelcome);
    const way = await ask(link);
    expect(desk.received).toEqual([pull]);
    way.data(
      pullId,
      { action: 'head', ...ofPull, seq: 0, status: 200, headers: [], end: false },
      0,
    );
    way.data(pullId, piece(1, Buffer.alloc(16_000, 7)), 16_000);
    expect(await link.next('head')).toMatchObject({ status: 200, replyTo: 'r1' });
    expect(Buffer.compare((await link.next('body')).body, Buffer.alloc(16_000, 7))).toBe(0);
    expect(states).toEqual(['dialling', 'greeting', 'open']);
    expect(way.subprotocol).toBe(spoken);
  });
});

describe('an open link', () => {
  /** Queues until the pull is told to wait; the relay reads nothing meanwhile. Returns how many pieces that took. */
  function fill(way: PullLink): number {
    let pieces = 1;
    while (way.data(pullId, piece(pieces, Buffer.alloc(65_000)), 65_000)) pieces += 1;
    return pieces;
  }

  it('lets control overtake data that waits, and tells the pull when there is room', async () => {
    start();
    const link = await relay.welcome();
    const way = await ask(link);
    link.transport.pause();
    const pieces = fill(way);
    way.control({ action: 'credit', ...ofPull, limit: 1 });
    expect(agent.snapshot().waitingBytes).toBeGreaterThan(262_144);
    link.transport.resume();
    const order: string[] = [];
    while (order.length <= pieces) order.push((await link.receive()).action);
    expect(order.indexOf('credit')).toBeLessThan(pieces);
    expect(desk.rooms).toEqual([pullId]);
  });

  it('drops what is queued for a pull that is over', async () => {
    start();
    const link = await relay.welcome();
    const way = await ask(link);
    link.transport.pause();
    const pieces = fill(way);
    way.forget(pullId);
    way.control({ action: 'credit', ...ofPull, limit: 1 });
    link.transport.resume();
    let seen = 0;
    while ((await link.receive()).action === 'body') seen += 1;
    expect(seen).toBeLessThan(pieces);
  });

  it('sends what is written in one turn of the event loop in one piece', async () => {
    start();
    const link = await relay.welcome();
    const way = await ask(link);
    const chunks: number[] = [];
    link.transport.on('data', (chunk: Buffer) => chunks.push(chunk.length));
    for (let n = 1; n <= 20; n += 1) way.control({ action: 'credit', ...ofPull, limit: n });
    for (let n = 1; n <= 20; n += 1) await link.next('credit');
    expect(chunks).toHaveLength(1);
  });

  it('answers a probe before the data that waits', async () => {
    start();
    const link = await relay.welcome({ features: ['probe'] });
    const way = await ask(link);
    link.transport.pause();
    const pieces = fill(way);
    desk.onReceive = () => {};
    link.send({ action: 'probe', ...ofPull });
    link.send({ action: 'resend', ...ofPull, have: 0 }); // tells that the probe before it was read
    await until(() => desk.received.length === 2);
    link.transport.resume();
    const order: AgentMessage[] = [];
    while (order.length <= pieces) order.push((await link.receive()) as AgentMessage);
    const at = order.findIndex(({ action }) => action === 'probed');
    expect(order[at]).toEqual({ action: 'probed', ...ofPull });
    expect(at).toBeLessThan(pieces);
  });

  it('answers a probe that is repeated, and none of a relay that did not announce them', async () => {
    start();
    const link = await relay.welcome({ features: ['probe'] });
    for (let asked = 0; asked < 2; asked += 1) link.send({ action: 'probe', ...ofPull });
    for (let heard = 0; heard < 2; heard += 1) await link.next('probed');
    link.send(plainWelcome);
    link.send({ action: 'probe', ...ofPull });
    (await ask(link)).control({ action: 'credit', ...ofPull, limit: 1 });
    await link.next('credit');
    expect(agent.snapshot().counters.ignored).toBe(1);
  });

  it('answers no probes without end for a relay that does not read', async () => {
    start();
    const link = await relay.welcome({ features: ['probe'] });
    link.transport.pause();
    const probe = { action: 'probe', pullId, replyTo: 'r'.repeat(512) } as const;
    for (let sent = 0; agent.snapshot().counters.ignored === 0; sent += 1) {
      link.send(probe);
      if (sent % 100 === 99) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(agent.snapshot().waitingBytes).toBeLessThan(1_100_000);
    expect(agent.state).toBe('open');
  });

  it('keeps bodies as small as the relay wants them', async () => {
    start();
    const link = await relay.welcome({ limits: { ...plainWelcome.limits, bodyBytes: 1_000 } });
    const way = await ask(link);
    expect(way.limits.bodyBytes).toBe(1_000);
    const head = {
      action: 'head',
      ...ofPull,
      seq: 0,
      status: 200,
      headers: [],
      end: false,
    } as const;
    expect(way.bodyRoom(head)).toBe(1_000);
  });

  it('offers no subprotocol where none is configured, and speaks JSON', async () => {
    start({ subprotocols: [] });
    const link = await relay.welcome();
    expect(relay.requests[0]?.headers['sec-websocket-protocol']).toBeUndefined();
    expect((await ask(link)).subprotocol).toBe('pullwire.v1+json');
  });

  it('tells pulls what the relay can do with replies, as it says it last', async () => {
    start();
    const link = await relay.welcome({ features: ['upload', 'dance'], endOfLifeMs: 7_200_000 });
    const way = await ask(link);
    expect(way.features).toEqual({ resend: false, upload: true });
    expect(await logLine('link open')).toMatchObject({ endOfLifeMs: 7_200_000 });
    link.send({ ...plainWelcome, features: ['resend'] });
    await ask(link);
    expect(way.features).toEqual({ resend: true, upload: false });
  });

  it('hands resend and put on to the pulls', async () => {
    start();
    const link = await relay.welcome();
    await ask(link);
    link.send({ action: 'resend', ...ofPull, have: 0 });
    link.send({ action: 'put', pullId, part: 1, url: 'https://store.example/x', headers: [] });
    await ask(link);
    expect(desk.received.map(({ action }) => action)).toEqual(['pull', 'resend', 'put', 'pull']);
  });

  it('counts actions it does not know and goes on', async () => {
    start({ subprotocols: ['pullwire.v1+json'] });
    const link = await relay.welcome();
    link.ws.send('{"action":"dance"}');
    await ask(link);
    expect(agent.snapshot().counters).toMatchObject({ ignored: 1, framesIn: 3, links: 1 });
  });

  it('says hello again when what is offered has changed, also to relays to come', async () => {
    start();
    const link = await relay.welcome();
    await open();
    agent.repeatHello({ ...hello, labels: { site: 'north' } });
    expect(await link.next('hello')).toMatchObject({ labels: { site: 'north' } });
    link.send(plainWelcome);
    link.ws.terminate();
    const next = await relay.link();
    expect(await next.next('hello')).toMatchObject({ labels: { site: 'north' } });
  });

  it('tells the relay at which pace to watch where the link is metered, with all else it offers', async () => {
    start({ pace: meteredPace() });
    const heartbeat = { intervalMs: 40, timeoutMs: 40, maxIntervalMs: 60 };
    const link = await relay.welcome({ heartbeat });
    expect(await link.next('hello')).toMatchObject({ ...hello, heartbeatMs: 60 });
    link.send({ ...plainWelcome, heartbeat });
    agent.repeatHello({ ...hello, labels: { site: 'north' } });
    expect(await link.next('hello')).toMatchObject({ heartbeatMs: 60, labels: { site: 'north' } });
    expect(agent.snapshot().keepAlive).toMatchObject({ intervalMs: 60, dailyBytes: 1 });
  });

  it('keeps a changed hello back until the first one is answered', async () => {
    start();
    const link = await relay.link();
    await link.next('hello');
    agent.repeatHello({ ...hello, labels: { site: 'north' } });
    link.send(plainWelcome);
    expect(await link.next('hello')).toMatchObject({ labels: { site: 'north' } });
  });
});

describe('the end of a link', () => {
  it('is told to the pulls, whose link then does nothing, and another one is dialled', async () => {
    start();
    const link = await relay.welcome();
    const way = await ask(link);
    link.ws.terminate();
    const next = await relay.welcome();
    expect(desk.lostLinks).toEqual([way]);
    expect(way.data(pullId, piece(1, Buffer.alloc(1)), 1)).toBe(false);
    way.control({ action: 'credit', ...ofPull, limit: 1 });
    way.forget(pullId);
    expect(await ask(next)).not.toBe(way);
    expect(relay.requests.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer secret-1',
      'Bearer secret-2',
    ]);
  });

  it('comes by bye idle when nothing comes in', async () => {
    start();
    const link = await relay.welcome({ heartbeat: { intervalMs: 20, timeoutMs: 20 } });
    link.transport.pause();
    await relay.link();
    link.transport.resume();
    await link.next('bye').then(({ code }) => expect(code).toBe('idle'));
    expect(desk.lostLinks).toHaveLength(1);
  });

  it('lets the next dial wait for no closing handshake, since nobody would answer it', async () => {
    start({ limits: { ...limits, closeMs: 60_000 } });
    const link = await relay.welcome({ heartbeat: { intervalMs: 20, timeoutMs: 20 } });
    link.transport.pause();
    await relay.link();
    link.transport.destroy();
  });

  it('does not come while the relay answers pings', async () => {
    start();
    const link = await relay.welcome({ heartbeat: { intervalMs: 100, timeoutMs: 100 } });
    for (let ping = 0; ping < 5; ping += 1) await once(link.ws, 'ping');
    expect(agent.snapshot().counters.pings).toBeGreaterThanOrEqual(5);
    expect(agent.state).toBe('open');
  });

  it('comes by bye idle where a gateway answers pings and the relay no keep-alive', async () => {
    start();
    const heartbeat = { intervalMs: 30, timeoutMs: 20 };
    const link = await relay.welcome({ heartbeat, features: ['keep-alive'] });
    await link.next('keep-alive');
    expect(await link.next('bye')).toMatchObject({ code: 'idle' });
    expect(agent.snapshot().counters.pings).toBe(0);
    await relay.link();
  });

  it('does not come while keep-alive messages are answered', async () => {
    start();
    const heartbeat = { intervalMs: 100, timeoutMs: 100 };
    const link = await relay.welcome({ heartbeat, features: ['keep-alive'] });
    for (let i = 0; i < 5; i += 1) {
      await link.next('keep-alive');
      link.send({ action: 'kept-alive', connectionId: 'R0oXAdfD0kwCH6w=' });
    }
    expect(agent.state).toBe('open');
    // A relay that is moved out from behind its gateway says so.
    link.send({ ...plainWelcome, heartbeat });
    await once(link.ws, 'ping');
  });

  it('is final where the relay says so', async () => {
    start();
    (await relay.welcome()).bye('revoked');
    await final.promise;
    expect(finals).toEqual([
      { reason: 'bye revoked', text: expect.stringContaining('was revoked'), exitCode: 77 },
    ]);
    await agent.stop();
    expect(relay.requests).toHaveLength(1);
  });

  it('is final where the relay refuses the device at the handshake', async () => {
    relay.refusals.push({ status: 403, headers: { 'pullwire-answered-by': 'relay' } });
    start();
    await final.promise;
    expect(finals).toMatchObject([{ reason: 'the relay answered 403', exitCode: 77 }]);
  });

  it('is followed by minutes of waiting where another process has taken the place', async () => {
    start();
    (await relay.welcome()).bye('replaced');
    await logLine('another process links');
    await agent.stop();
    expect(relay.requests).toHaveLength(1);
  });

  it.each([
    [
      'a text message on a binary link',
      (link: RelayEnd) => link.ws.send('{}'),
      'protocol-error',
      1003,
    ],
    [
      'bytes that are no frame',
      (link: RelayEnd) => link.ws.send(Buffer.alloc(9, 255)),
      'protocol-error',
      1002,
    ],
    [
      'a frame over the limit',
      (link: RelayEnd) => link.ws.send(Buffer.alloc(98_305)),
      'too-large',
      1009,
    ],
  ])('follows %s', async (_name, misbehave, bye, closeCode) => {
    start();
    const link = await relay.welcome();
    await open();
    misbehave(link);
    expect(await link.next('bye')).toMatchObject({ code: bye });
    expect(await link.closed).toBe(closeCode);
    await relay.welcome();
    expect(agent.snapshot().counters.malformed).toBe(1);
  });

  it('follows a frame so large that nobody reads it', async () => {
    start();
    const link = await relay.welcome();
    link.ws.send(Buffer.alloc(1_000_000));
    expect(await link.closed).toBe(1009);
    await relay.welcome();
  });

  it('follows a pull before welcome', async () => {
    start();
    const link = await relay.link();
    await link.next('hello');
    link.send(pull);
    expect(await link.next('bye')).toMatchObject({ code: 'protocol-error' });
    expect(desk.received).toEqual([]);
  });

  it('follows a relay that does not answer hello', async () => {
    start({ limits: { ...limits, welcomeMs: 20 } });
    const link = await relay.link();
    await link.next('hello');
    expect(await link.next('bye')).toMatchObject({ code: 'hello-timeout' });
    expect(await link.closed).toBe(4006);
  });

  it('follows a relay of another version, for good', async () => {
    start();
    const link = await relay.welcome({ version: 2 });
    expect(await link.next('bye')).toMatchObject({ code: 'unsupported-version' });
    await final.promise;
  });

  it('follows an error of our own, which the process survives', async () => {
    start();
    const link = await relay.welcome();
    desk.onReceive = () => {
      throw new Error('a bug');
    };
    link.send(pull);
    expect(await link.next('bye')).toMatchObject({ code: 'internal-error' });
    await relay.welcome();
  });

  it('is announced by drain: pulls under way go on until the relay closes', async () => {
    start();
    const link = await relay.welcome();
    const way = await ask(link);
    link.send({ action: 'drain', withinMs: 60_000 });
    await logLine('the relay will close this link');
    expect(agent.state).toBe('draining');
    way.data(pullId, piece(1, Buffer.alloc(3)), 3);
    await link.next('body');
    link.bye('end-of-life');
    await relay.welcome();
  });
});

describe('stop', () => {
  it('drains: no new pulls, those under way are finished, and bye comes after their last byte', async () => {
    const done = Promise.withResolvers<void>();
    desk.drainDone = done.promise;
    start();
    const link = await relay.welcome();
    const way = await ask(link);
    const stopped = agent.stop();
    await link.next('drain');
    link.transport.pause();
    for (let seq = 1; seq <= 40; seq += 1)
      way.data(pullId, piece(seq, Buffer.alloc(65_000)), 65_000);
    done.resolve();
    link.transport.resume();
    for (let seq = 1; seq <= 40; seq += 1) expect(await link.next('body')).toMatchObject({ seq });
    expect(await link.next('bye')).toMatchObject({ code: 'drained' });
    expect(await link.closed).toBe(1000);
    await stopped;
    expect(agent.state).toBe('closed');
    expect(relay.openSockets).toBe(0);
  });

  it('does not wait longer for pulls than it was told', async () => {
    desk.drainDone = new Promise(() => {});
    start({ limits: { ...limits, drainMs: 20 } });
    const link = await relay.welcome();
    await open();
    await agent.stop();
    await link.next('drain');
    expect(await link.next('bye')).toMatchObject({ code: 'shutdown' });
    expect(desk.lostLinks).toHaveLength(1);
  });

  it('does not wait for a relay that never closes', async () => {
    start({ limits: { ...limits, closeMs: 20 } });
    const link = await relay.welcome();
    await open();
    link.transport.pause();
    await agent.stop();
  });

  it('ends where the link is lost while it drains', async () => {
    const done = Promise.withResolvers<void>();
    desk.drainDone = done.promise;
    start();
    const link = await relay.welcome();
    await open();
    const stopped = agent.stop();
    await link.next('drain');
    link.ws.terminate();
    done.resolve();
    await stopped;
    expect(relay.requests).toHaveLength(1);
  });

  it('ends an attempt, a greeting and a wait', async () => {
    start();
    await agent.stop();
    start();
    const link = await relay.link();
    await link.next('hello');
    await agent.stop();
    expect(await link.next('bye')).toMatchObject({ code: 'shutdown' });
    relay.refusals.push({ status: 404 });
    start();
    await logLine('no link');
    await agent.stop();
    await agent.stop();
  });

  it('does not drain where its signal is aborted', async () => {
    desk.drainDone = new Promise(() => {});
    const abort = new AbortController();
    start({}, abort.signal);
    const link = await relay.welcome();
    await open();
    abort.abort();
    expect(await link.next('bye')).toMatchObject({ code: 'shutdown' });
    expect(await link.closed).toBe(1001);
    await agent.stop();
  });
});

describe('the log', () => {
  it('says what was agreed when the link opens', async () => {
    start();
    await relay.welcome();
    const line = await logLine('link open');
    expect(line).toMatchObject({ subprotocol: 'pullwire.v1+bin', relay: 'fake-relay/1' });
  });

  it('says why there is no link, what the relay said about it and how long the wait is', async () => {
    const date = new Date(Date.now() - 3_600_000).toUTCString();
    const refusal = { status: 401, headers: { date }, body: '{"detail":"bad signature"}' };
    relay.refusals.push(refusal, refusal);
    start({ random: () => 0.5 });
    const line = await logLine('does not accept the token');
    expect(line).toMatchObject({
      status: 401,
      detail: 'bad signature',
      waitMs: 45_000,
      attempt: 1,
    });
    expect(line.clockAheadMs).toBeGreaterThan(3_500_000);
  });
});
