import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { createSecureContext } from 'node:tls';
import { type Clock, systemClock } from '@pullwire/shared';
import { ManualClock } from '@pullwire/shared/manual-clock';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { explainOutsideDates, isOutsideDates, readCertificateDates } from './certificate-dates.ts';
import { type DatedCertificate, DatedCertificates } from './dated-certificates.ts';
import { FakeRelay } from './fake-relay.ts';
import { LinkSocket } from './link-socket.ts';
import { openTunnel, type Tunnel } from './proxy.ts';

const certificates = new DatedCertificates();
const second = 1_000;
const day = 86_400 * second;
const now = Math.floor(Date.now() / second) * second;
const [past, future] = [
  { from: now - 20 * day, to: now - 10 * day },
  { from: now + 10 * day, to: now + 20 * day },
];
let root: DatedCertificate;
const stops: (() => Promise<void>)[] = [];

beforeAll(async () => {
  await certificates.start();
  root = await certificates.make('root', { from: now - 30 * day, to: now + 30 * day });
});
afterAll(() => certificates.stop());
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const iso = (ms: number): string => new Date(ms).toISOString().replace('.000', '');

async function startRelay(certificate: DatedCertificate, chain = ''): Promise<FakeRelay> {
  const { cert, key } = certificate;
  const relay = new FakeRelay(undefined, createHttpsServer({ cert: cert + chain, key }));
  relay.server.on('request', () => {
    throw new Error('nothing may be asked');
  });
  await relay.start();
  stops.push(() => relay.stop());
  return relay;
}

async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stops.push(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  return (server.address() as AddressInfo).port;
}

/** A CONNECT proxy, and the answers that it gives, one each; then it lets through. */
async function startProxy(
  statuses: number[] = [],
  date = '',
  onConnect: () => void = () => {},
): Promise<string> {
  const server = createHttpServer();
  server.on('connect', (request, client) => {
    client.on('error', () => {});
    onConnect();
    const status = statuses.shift();
    if (status !== undefined) {
      client.end(`HTTP/1.1 ${status} No\r\nDate: ${date}\r\ncontent-length: 0\r\n\r\n`);
      return;
    }
    const upstream = connect(Number(request.url?.split(':')[1]), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      upstream.pipe(client).pipe(upstream);
    });
    upstream.on('error', () => client.destroy());
    client.on('close', () => upstream.destroy());
  });
  return `http://127.0.0.1:${await listen(server)}`;
}

function dial(relay: FakeRelay, tunnel?: Tunnel, clock: Clock = systemClock): LinkSocket {
  return new LinkSocket(`wss://localhost:${relay.port}/link`, ['pullwire.v1+bin'], {
    headers: { authorization: 'Bearer secret' },
    secureContext: createSecureContext({ ca: root.cert }),
    tunnel,
    clock,
    handshakeMs: 5_000,
    closeMs: 1_000,
  });
}

async function endOf(relay: FakeRelay, tunnel?: Tunnel) {
  const socket = dial(relay, tunnel);
  return socket.explain(await socket.ended, new AbortController().signal);
}

function urlOf(port: number): URL {
  return new URL(`wss://localhost:${port}/link`);
}

describe('a certificate outside its dates', () => {
  it('that has expired is named with both dates and what to do', async () => {
    const relay = await startRelay(await certificates.make('old', { ...past, issuer: 'root' }));
    const end = await endOf(relay);
    expect(end).toEqual({
      cause: 'unreachable',
      outsideDates: true,
      reason: expect.stringMatching(
        /its certificate has expired .*: renew the certificate, or set/,
      ),
    });
    const validity = `(valid from ${iso(past.from)} to ${iso(past.to)})`;
    expect(end).toMatchObject({ reason: expect.stringContaining(validity) });
    expect(end).toMatchObject({ reason: expect.stringContaining(iso(now).slice(0, 13)) });
    expect(relay.requests).toEqual([]);
  });

  it('that is not valid yet is a matter of this device’s clock', async () => {
    const relay = await startRelay(await certificates.make('new', { ...future, issuer: 'root' }));
    const end = await endOf(relay);
    expect(end).toMatchObject({
      reason: expect.stringMatching(
        /its certificate is not valid yet .*: set this device’s clock$/,
      ),
    });
    expect(end).toMatchObject({ reason: expect.stringContaining(iso(future.from)) });
  });

  it('may be its issuer’s', async () => {
    const between = await certificates.make('between', { ...past, issuer: 'root' });
    const dates = { from: now - day, to: now + day, issuer: 'between' };
    const relay = await startRelay(await certificates.make('fresh', dates), between.cert);
    const end = await endOf(relay);
    expect(end).toMatchObject({
      reason: expect.stringContaining(
        `the certificate of its issuer between has expired (valid from ${iso(past.from)} to`,
      ),
    });
  });

  it('is read through the proxy', async () => {
    const relay = await startRelay(await certificates.make('far', { ...past, issuer: 'root' }));
    const tunnel = openTunnel(new URL(await startProxy()), undefined);
    expect(await endOf(relay, tunnel)).toMatchObject({
      reason: expect.stringContaining(iso(past.to)),
    });
  });

  it('is explained without its dates where the proxy lets nobody through a second time', async () => {
    const relay = await startRelay(await certificates.make('shut', { ...past, issuer: 'root' }));
    const socket = dial(relay, openTunnel(new URL(await startProxy()), undefined));
    const end = await socket.ended;
    const error = Object.assign(new Error('expired'), { code: 'CERT_HAS_EXPIRED' });
    const tunnel = openTunnel(new URL(await startProxy([502])), undefined);
    const url = urlOf(relay.port);
    const text = await explainOutsideDates(error, { url, tunnel, clock: systemClock });
    expect(end).toMatchObject({ cause: 'unreachable' });
    expect(text).toMatch(
      /a certificate on the way to it has expired, and this device’s clock says/,
    );
  });

  it('is no reason to ask where something else is wrong', async () => {
    const stranger = await certificates.make('stranger', { from: now - day, to: now + day });
    const relay = await startRelay(stranger);
    const end = await endOf(relay);
    expect(end).toEqual({
      cause: 'unreachable',
      reason: expect.not.stringContaining('this device’s clock'),
    });
  });
});

describe('reading dates', () => {
  it('takes no longer than five seconds, and leaves no timer and no socket', async () => {
    const clock = new ManualClock();
    const silent = createServer();
    const port = await listen(silent);
    const reading = readCertificateDates({ url: urlOf(port), clock });
    const [socket] = (await once(silent, 'connection')) as [Socket];
    socket.on('error', () => {});
    const closed = once(socket.resume(), 'close');
    clock.advance(5_000);
    expect(await reading).toEqual([]);
    await closed;
    expect(clock.pending).toBe(0);
  });

  it('ends with its signal', async () => {
    const silent = createServer();
    const url = urlOf(await listen(silent));
    const abort = new AbortController();
    const { signal } = abort;
    const clock = new ManualClock();
    const reading = readCertificateDates({ url, clock, signal });
    await once(silent, 'connection');
    abort.abort();
    expect(await reading).toEqual([]);
    expect(await readCertificateDates({ url, clock, signal })).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  it('finds none where nobody answers', async () => {
    const server = createServer();
    const url = urlOf(await listen(server));
    await stops.pop()?.();
    expect(await readCertificateDates({ url, clock: systemClock })).toEqual([]);
  });

  it.each([
    ['CERT_HAS_EXPIRED', true],
    ['CERT_NOT_YET_VALID', true],
    ['SELF_SIGNED_CERT_IN_CHAIN', false],
  ])('is for %s: %s, also as a cause', (code, expected) => {
    const error = Object.assign(new Error('x'), { code });
    expect(isOutsideDates(error)).toBe(expected);
    expect(isOutsideDates(new Error('fetch failed', { cause: error }))).toBe(expected);
  });
});

describe('the time of an answer', () => {
  const date = 'Wed, 25 Nov 2015 06:00:00 GMT';

  it('is not the proxy’s', async () => {
    const relay = await startRelay(root);
    const socket = dial(relay, openTunnel(new URL(await startProxy([401], date)), undefined));
    expect(await socket.ended).toEqual({ cause: 'proxy-refused', status: 401 });
    expect(socket.heard).toBeUndefined();
  });

  it('is the relay’s through the proxy, and its round trip begins when the request is sent', async () => {
    const clock = new ManualClock();
    const relay = await startRelay(root);
    relay.refusals.push({ status: 401, headers: { date } });
    relay.server.prependListener('upgrade', () => clock.advance(700));
    const proxy = await startProxy([], '', () => clock.advance(60_000));
    const socket = dial(relay, openTunnel(new URL(proxy), undefined), clock);
    await socket.ended;
    expect(socket.heard).toEqual({ date, atMs: 60_700, roundTripMs: 700 });
  });
});
