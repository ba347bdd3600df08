import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import {
  connect as connectByTls,
  createSecureContext,
  type EphemeralKeyInfo,
  type SecureContextOptions,
  type TLSSocket,
} from 'node:tls';
import { systemClock } from '@pullwire/shared';
import { ManualClock } from '@pullwire/shared/manual-clock';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DatedCertificates } from './dated-certificates.ts';
import { FakeRelay } from './fake-relay.ts';
import { type Dial, LinkSocket } from './link-socket.ts';
import { loopbackCertificate } from './loopback-certificate.ts';
import { openTunnel } from './proxy.ts';
import { relayTrust, resumingTrust } from './relay-trust.ts';
import { TlsResumption } from './tls-resumption.ts';
import { type TlsPeer, type TlsSession, TlsSessions } from './tls-sessions.ts';

const hour = 3_600_000;
const secureContext = relayTrust(loopbackCertificate.cert);
const resumingContext = resumingTrust(loopbackCertificate.cert);
const certificates = new DatedCertificates();
const stops: (() => unknown)[] = [];
let clock: ManualClock;
let sessions: TlsSessions;

beforeAll(() => certificates.start());
afterAll(() => certificates.stop());
beforeEach(() => {
  clock = new ManualClock();
  clock.skip(Math.floor(Date.now() / 1_000) * 1_000);
  sessions = new TlsSessions(clock);
});
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function startRelay(options: SecureContextOptions = {}) {
  const server = createHttpsServer({ ...loopbackCertificate, ...options });
  const relay = new FakeRelay(undefined, server);
  await relay.start();
  stops.push(() => relay.stop());
  return { relay, server };
}

function dial(port: number, over: Partial<Dial> = {}): LinkSocket {
  return new LinkSocket(`wss://localhost:${port}/link`, ['pullwire.v1+bin'], {
    headers: {},
    secureContext,
    sessions,
    resumingContext,
    clock: { ...systemClock, wall: () => clock.wall() },
    handshakeMs: 10_000,
    closeMs: 2_000,
    ...over,
  });
}

/** Links once, and says whether TLS was resumed. */
async function linkOnce(relay: FakeRelay, over: Partial<Dial> = {}): Promise<boolean> {
  const socket = dial(relay.port, over);
  await Promise.all([relay.link(), once(socket, 'open')]);
  const { isResumed } = socket;
  socket.close();
  await socket.ended;
  return isResumed;
}

async function linkTimes(relay: FakeRelay, times: number, over: Partial<Dial> = {}) {
  const resumed: boolean[] = [];
  while (resumed.length < times) resumed.push(await linkOnce(relay, over));
  return resumed;
}

async function startProxy(): Promise<URL> {
  const server = createHttpServer();
  server.on('connect', (request, client) => {
    const upstream = connect(Number(request.url?.split(':')[1]), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      upstream.pipe(client).pipe(upstream);
    });
    upstream.on('error', () => client.destroy());
    client.on('error', () => upstream.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stops.push(() => server.close());
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

/** A port of loopback on which nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

describe('a link’s TLS', () => {
  it.each(['TLSv1.3', 'TLSv1.2'] as const)(
    'is resumed from the second dial on, over %s',
    async (version) => {
      const { relay } = await startRelay({ minVersion: version, maxVersion: version });
      expect(await linkTimes(relay, 5)).toEqual([false, true, true, true, true]);
    },
  );

  it('is resumed in a proxy’s tunnel', async () => {
    const { relay } = await startRelay();
    const proxy = await startProxy();
    const resumed = [];
    for (let at = 0; at < 3; at += 1) {
      resumed.push(await linkOnce(relay, { tunnel: openTunnel(proxy, secureContext) }));
    }
    expect(resumed).toEqual([false, true, true]);
  });

  it('is never resumed without a store', async () => {
    const { relay } = await startRelay();
    expect(await linkTimes(relay, 3, { sessions: undefined })).toEqual([false, false, false]);
  });

  it('is made anew where the relay takes its tickets no longer, and resumed after that', async () => {
    const { relay, server } = await startRelay();
    await linkTimes(relay, 2);
    server.setTicketKeys(randomBytes(48));
    // What the one that was refused is given is not kept: its key exchange was the lighter one.
    expect(await linkTimes(relay, 4)).toEqual([false, false, true, true]);
  });

  it('is made anew a day after the last full handshake, however often it was resumed', async () => {
    const { relay } = await startRelay();
    const resumed = [];
    for (let at = 0; at < 6; at += 1) {
      resumed.push(await linkOnce(relay));
      clock.skip(8 * hour);
    }
    expect(resumed).toEqual([false, true, true, false, true, true]);
  });

  it('is made anew when a certificate of the chain has expired', async () => {
    const from = clock.wall() - hour;
    const root = await certificates.make('root', { from, to: clock.wall() + hour });
    const leaf = await certificates.make('leaf', {
      ...{ from, to: clock.wall() + 10 * hour },
      issuer: 'root',
    });
    const { relay } = await startRelay({ cert: leaf.cert + root.cert, key: leaf.key });
    const trust = {
      secureContext: relayTrust(root.cert),
      resumingContext: resumingTrust(root.cert),
    };
    expect(await linkTimes(relay, 2, trust)).toEqual([false, true]);
    clock.skip(hour);
    expect(await linkOnce(relay, trust)).toBe(false);
  });

  it('has the lighter key exchange where it is resumed, and the strongest one where it is not', async () => {
    const { relay } = await startRelay();
    const groups: unknown[] = [];
    for (let at = 0; at < 3; at += 1) {
      const socket = dial(relay.port);
      await Promise.all([relay.link(), once(socket, 'open')]);
      groups.push(((socket.transport as TLSSocket).getEphemeralKeyInfo() as EphemeralKeyInfo).name);
      socket.close();
      await socket.ended;
    }
    expect(groups).toEqual(['X25519MLKEM768', 'X25519', 'X25519']);
  });

  it('is refused under other authorities, whatever was resumed before', async () => {
    const { relay } = await startRelay();
    await linkTimes(relay, 2);
    const socket = dial(relay.port, { secureContext: createSecureContext() });
    expect(await socket.ended).toEqual({
      cause: 'unreachable',
      reason: expect.stringMatching(/self-signed certificate/),
    });
    expect(relay.requests).toHaveLength(2);
  });

  it('is refused where another server answers a ticket of the relay with its own certificate', async () => {
    const { relay, server } = await startRelay();
    await linkTimes(relay, 2);
    const stranger = await certificates.make('stranger', {
      from: clock.wall() - hour,
      to: clock.wall() + hour,
    });
    server.setSecureContext(stranger);
    server.setTicketKeys(randomBytes(48));
    const socket = dial(relay.port);
    expect(await socket.ended).toMatchObject({
      cause: 'unreachable',
      reason: expect.stringMatching(/certificate/),
    });
    expect(relay.requests).toHaveLength(2);
  });
});

describe('what is held', () => {
  it('is given back by an attempt that reached nobody', async () => {
    const { relay } = await startRelay();
    await linkOnce(relay);
    const peer = peerAt(relay.port);
    const before = heldFor(peer);
    const port = await closedPort();
    for (let at = 0; at < 5; at += 1) {
      // The attempt is the relay's; only the way to it leads nowhere.
      const resumption = new TlsResumption({ sessions, peer, clock });
      const socket = connectByTls({ port, host: '127.0.0.1', session: resumption.session });
      resumption.watch(socket);
      await once(socket, 'error');
      resumption.ended();
    }
    expect(heldFor(peer)).toBe(before);
    expect(await linkOnce(relay)).toBe(true);
  });

  it('is forgotten after a handshake that failed', async () => {
    const { relay } = await startRelay();
    await linkOnce(relay);
    const peer = peerAt(relay.port);
    const port = await hangingUp();
    const resumption = new TlsResumption({ sessions, peer, clock });
    const socket = connectByTls({ port, host: '127.0.0.1', session: resumption.session });
    resumption.watch(socket);
    await once(socket, 'error');
    resumption.ended();
    expect(heldFor(peer)).toBe(0);
    expect(await linkOnce(relay)).toBe(false);
  });

  it('is what the server gave last, where it gives one to a client that resumes', async () => {
    const port = await startGenerous(1);
    const watched = new WatchedSessions(clock);
    const offered = new Set<string | undefined>();
    for (let at = 0; at < 4; at += 1) {
      const { session, isResumed } = await meet(port, watched, 1);
      expect(isResumed).toBe(at > 0);
      offered.add(session?.toString('base64'));
    }
    expect(offered.size).toBe(4);
  });

  it('stays four of a server that gives a thousand', async () => {
    const port = await startGenerous(1_000);
    const watched = new WatchedSessions(clock);
    await meet(port, watched, 1_000);
    expect(heldFor(peerAt(port), watched)).toBe(4);
  });
});

/** Connects once, until the server has given so many sessions. */
async function meet(port: number, watched: WatchedSessions, count: number) {
  const resumption = new TlsResumption({ sessions: watched, peer: peerAt(port), clock });
  const { session } = resumption;
  const kept = watched.kept(count);
  const socket = connectByTls({ port, host: '127.0.0.1', secureContext, session });
  resumption.watch(socket);
  await kept;
  const isResumed = socket.isSessionReused();
  socket.destroy();
  resumption.ended();
  return { session, isResumed };
}

function peerAt(port: number): TlsPeer {
  return { host: `localhost:${port}`, secureContext };
}

/** How many are held; they still are afterwards. */
function heldFor(peer: TlsPeer, from = sessions): number {
  const taken: TlsSession[] = [];
  for (let next = from.take(peer); next !== undefined; next = from.take(peer)) taken.unshift(next);
  for (const session of taken) from.keep(peer, session);
  return taken.length;
}

class WatchedSessions extends TlsSessions {
  #left = 0;
  #reached = () => {};

  /** Resolves when so many more were kept. */
  kept(count: number): Promise<void> {
    this.#left = count;
    return new Promise((resolve) => {
      this.#reached = resolve;
    });
  }

  override keep(peer: TlsPeer, session: TlsSession): void {
    super.keep(peer, session);
    this.#left -= 1;
    if (this.#left === 0) this.#reached();
  }
}

/** Hears the first words of TLS, and hangs up. */
async function hangingUp(): Promise<number> {
  const server = createServer((socket: Socket) => socket.once('data', () => socket.destroy()));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stops.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** openssl's own server, which gives as many tickets as it is told. */
async function startGenerous(tickets: number): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'pullwire-generous-'));
  const file = join(folder, 'both.pem');
  await writeFile(file, loopbackCertificate.key + loopbackCertificate.cert);
  const server = spawn('openssl', [
    ...['s_server', '-accept', '127.0.0.1:0', '-cert', file, '-key', file],
    ...['-num_tickets', String(tickets), '-tls1_3'],
  ]);
  stops.push(async () => {
    const gone = once(server, 'exit');
    server.kill();
    await gone;
    await rm(folder, { recursive: true });
  });
  for await (const line of createInterface({ input: server.stdout })) {
    const port = /^ACCEPT .*:(\d+)$/.exec(line)?.[1];
    if (port !== undefined) return Number(port);
  }
  throw new Error('openssl does not listen');
}
