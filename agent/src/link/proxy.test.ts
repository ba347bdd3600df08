import { once } from 'node:events';
import { createServer as createHttpServer, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createSecureContext } from 'node:tls';
import { systemClock } from '@pullwire/shared';
import { afterEach, describe, expect, it } from 'vitest';
import { FakeRelay } from './fake-relay.ts';
import { LinkSocket } from './link-socket.ts';
import { loopbackCertificate } from './loopback-certificate.ts';
import { openTunnel, proxyFor, withoutCredentials } from './proxy.ts';

describe('proxyFor', () => {
  const wss = 'wss://relay.example/link';
  it.each<[string, string, Record<string, string>, string | undefined]>([
    ['HTTPS_PROXY serves wss:', wss, { HTTPS_PROXY: 'http://p:1' }, 'http://p:1/'],
    ['HTTP_PROXY does not serve wss:', wss, { HTTP_PROXY: 'http://p:1' }, undefined],
    ['HTTP_PROXY serves ws:', 'ws://r/link', { HTTP_PROXY: 'http://p:1' }, 'http://p:1/'],
    ['ALL_PROXY serves both', wss, { ALL_PROXY: 'http://p:1' }, 'http://p:1/'],
    [
      'the scheme’s own wins',
      wss,
      { ALL_PROXY: 'http://a:1', HTTPS_PROXY: 'http://p:1' },
      'http://p:1/',
    ],
    [
      'lower case wins',
      wss,
      { HTTPS_PROXY: 'http://a:1', https_proxy: 'http://p:1' },
      'http://p:1/',
    ],
    ['an empty one counts as none', wss, { https_proxy: '', HTTPS_PROXY: '' }, undefined],
    [
      'a scheme may be left out',
      wss,
      { HTTPS_PROXY: 'proxy.example:3128' },
      'http://proxy.example:3128/',
    ],
    ['a proxy may speak TLS', wss, { HTTPS_PROXY: 'https://p:1' }, 'https://p:1/'],
    ['NO_PROXY exempts', wss, { HTTPS_PROXY: 'http://p:1', NO_PROXY: '.example' }, undefined],
    ['no_proxy exempts', wss, { HTTPS_PROXY: 'http://p:1', no_proxy: '*' }, undefined],
  ])('%s', (_name, url, env, proxy) => {
    expect(proxyFor(new URL(url), env)?.href).toBe(proxy);
  });

  it('refuses what is no HTTP proxy without repeating a password', () => {
    expect(() => proxyFor(new URL(wss), { HTTPS_PROXY: 'socks5://user:hunter2@p:1' })).toThrow(
      /^HTTPS_PROXY: expected the URL of an HTTP proxy, as in http:\/\/proxy.example:3128$/,
    );
  });

  it('shows a proxy without its credentials', () => {
    expect(withoutCredentials(new URL('http://user:hunter2@p:1/'))).toBe('http://p:1');
  });
});

describe('a tunnel', () => {
  const stops: (() => Promise<void>)[] = [];

  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
  });

  async function startRelay(server?: Server): Promise<FakeRelay> {
    const relay = new FakeRelay(undefined, server);
    await relay.start();
    stops.push(() => relay.stop());
    return relay;
  }

  /** A CONNECT proxy on loopback, or one that does with a CONNECT what the test says. */
  async function startProxy(server: Server = createHttpServer(), answer = pass) {
    const asked: string[] = [];
    const credentials: (string | undefined)[] = [];
    const sockets = new Set<Socket>();
    server.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    });
    server.on('connect', (request, client) => {
      asked.push(request.url ?? '');
      credentials.push(request.headers['proxy-authorization']);
      client.on('error', () => {});
      answer(client, request.url ?? '');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    stops.push(async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    });
    return { port: (server.address() as AddressInfo).port, asked, credentials, sockets, server };
  }

  function pass(client: Duplex, target: string): void {
    const [host = '', port] = target.split(':');
    const upstream = connect(Number(port), host, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.pipe(client).pipe(upstream);
    });
    upstream.on('error', () => client.destroy());
    client.on('close', () => upstream.destroy());
  }

  function dial(url: string, proxy: string): LinkSocket {
    const secureContext = createSecureContext({
      ca: loopbackCertificate.cert,
      minVersion: 'TLSv1.2',
    });
    return new LinkSocket(url, ['pullwire.v1+bin'], {
      headers: {},
      secureContext,
      tunnel: openTunnel(new URL(proxy), secureContext),
      clock: systemClock,
      handshakeMs: 5_000,
      closeMs: 1_000,
    });
  }

  async function closeOf(socket: LinkSocket): Promise<void> {
    socket.close();
    await socket.ended;
  }

  it('carries ws: through a proxy that wants credentials', async () => {
    const relay = await startRelay();
    const proxy = await startProxy();
    const socket = dial(relay.url, `http://user:pass@127.0.0.1:${proxy.port}`);
    await relay.link();
    expect(proxy.asked).toEqual([`127.0.0.1:${relay.port}`]);
    expect(proxy.credentials).toEqual([`Basic ${btoa('user:pass')}`]);
    await closeOf(socket);
  });

  it('carries wss: end to end, with the relay’s certificate checked inside the tunnel', async () => {
    const relay = await startRelay(createHttpsServer(loopbackCertificate));
    const proxy = await startProxy();
    const socket = dial(`wss://localhost:${relay.port}/link`, `http://127.0.0.1:${proxy.port}`);
    await relay.link();
    expect(proxy.asked).toEqual([`localhost:${relay.port}`]);
    await closeOf(socket);
  });

  it('checks the certificate of a relay that is named by its address against that address', async () => {
    const relay = await startRelay(createHttpsServer(loopbackCertificate));
    const proxy = await startProxy();
    const socket = dial(`wss://127.0.0.1:${relay.port}/link`, `http://127.0.0.1:${proxy.port}`);
    await relay.link();
    await closeOf(socket);
  });

  it('does not take a certificate for the proxy’s name for that of a relay that is named by its address', async () => {
    const relay = await startRelay(createHttpsServer(loopbackCertificate));
    const proxy = await startProxy(undefined, (client, target) =>
      pass(client, target.replace('127.0.0.2', '127.0.0.1')),
    );
    const socket = dial(`wss://127.0.0.2:${relay.port}/link`, `http://localhost:${proxy.port}`);
    expect(await socket.ended).toMatchObject({
      cause: 'unreachable',
      reason: expect.stringContaining('127.0.0.2'),
    });
    expect(relay.requests).toHaveLength(0);
  });

  it('reaches a proxy over TLS', async () => {
    const relay = await startRelay(createHttpsServer(loopbackCertificate));
    const proxy = await startProxy(createHttpsServer(loopbackCertificate));
    const socket = dial(`wss://localhost:${relay.port}/link`, `https://localhost:${proxy.port}`);
    await relay.link();
    await closeOf(socket);
  });

  it.each([403, 407, 502])('tells a proxy’s %i from a relay’s', async (status) => {
    const relay = await startRelay();
    const proxy = await startProxy(undefined, (client) => {
      client.end(`HTTP/1.1 ${status} No\r\ncontent-length: 0\r\n\r\n`);
    });
    const socket = dial(relay.url, `http://127.0.0.1:${proxy.port}`);
    expect(await socket.ended).toEqual({ cause: 'proxy-refused', status });
    expect(relay.requests).toHaveLength(0);
  });

  it('tells the relay’s own answer through the tunnel', async () => {
    const relay = await startRelay();
    relay.refusals.push({ status: 403 });
    const proxy = await startProxy();
    const socket = dial(relay.url, `http://127.0.0.1:${proxy.port}`);
    expect(await socket.ended).toEqual({ cause: 'refused', status: 403 });
  });

  it.each([
    ['http', createHttpServer],
    ['https', () => createHttpsServer(loopbackCertificate)],
  ])('leaves no socket behind at an %s proxy that says nothing', async (scheme, create) => {
    const relay = await startRelay();
    const proxy = await startProxy(create(), (client) => {
      // An HTTP server leaves it to its user to close a half-open tunnel.
      client.resume().on('end', () => client.end());
    });
    const socket = dial(relay.url, `${scheme}://localhost:${proxy.port}`);
    await once(proxy.server, 'connect');
    const closed = [...proxy.sockets].map((left) => once(left, 'close'));
    socket.terminate();
    expect(await socket.ended).toMatchObject({ cause: 'unreachable' });
    await Promise.all(closed);
  });
});
