import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { createSecureContext } from 'node:tls';
import { type Put, systemClock } from '@pullwire/shared';
import { ManualClock } from '@pullwire/shared/manual-clock';
import { afterEach, describe, expect, test } from 'vitest';
import { loopbackCertificate } from '../link/loopback-certificate.ts';
import { HttpsPartStore } from './https-part-store.ts';
import { PartStoreError } from './part-store.ts';
import { ReplyPart } from './reply-part.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const servers: Server[] = [];
const stores: HttpsPartStore[] = [];

afterEach(async () => {
  for (const store of stores.splice(0)) store.close();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
});

async function listen(server: Server): Promise<number> {
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const plain = (answer: Answer): Promise<number> => listen(createServer(answer));

function storeOf(env: Record<string, string> = {}, clock = systemClock): HttpsPartStore {
  const store = new HttpsPartStore({
    rules: { relayHost: 'localhost', hosts: ['127.0.0.1'], insecure: false },
    secureContext: () => createSecureContext({ ca: loopbackCertificate.cert }),
    env,
    clock,
  });
  stores.push(store);
  return store;
}

function partOf(...pieces: Uint8Array[]): ReplyPart {
  const part = new ReplyPart(1, 8 * 1024 * 1024);
  for (const piece of pieces) part.add(piece);
  return part;
}

const putTo = (url: string, headers: readonly string[] = []): Put => ({
  action: 'put',
  pullId: 'AAECAwQFBgcICQoLDA0ODw',
  part: 1,
  url,
  headers,
});
const never = new AbortController().signal;
const small = partOf(Buffer.from('ab'), Buffer.from('cd'));

async function failure(work: Promise<unknown>): Promise<PartStoreError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof PartStoreError) return error;
    throw error;
  }
  throw new Error('it was stored');
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece);
  return Buffer.concat(pieces);
}

describe('a part', () => {
  test('is put with exactly the headers that were signed, its length and nothing else', async () => {
    let seen: unknown;
    const port = await plain(async (request, response) => {
      const { method, url, rawHeaders } = request;
      seen = { method, url, rawHeaders, body: String(await bodyOf(request)) };
      response.setHeader('ETag', '"e1"').end();
    });
    const headers = ['x-amz-content-sha256', small.sha256, 'X-Twice', 'a', 'X-Twice', 'b'];
    const own = ['Host', 'evil.example', 'content-length', '7'];
    const url = `http://127.0.0.1:${port}/bucket/a%2Fb?X-Amz-Signature=%2F00`;
    expect(await storeOf().store(putTo(url, [...headers, ...own]), small, never)).toBe('"e1"');
    expect(seen).toEqual({
      method: 'PUT',
      url: '/bucket/a%2Fb?X-Amz-Signature=%2F00',
      rawHeaders: [
        ...['Host', `127.0.0.1:${port}`, 'Content-Length', '4', ...headers],
        ...['Connection', 'keep-alive'],
      ],
      body: 'abcd',
    });
  });

  test('of 8 MiB arrives whole', async () => {
    const body = Buffer.alloc(8 * 1024 * 1024, 'pullwire');
    let arrived: Buffer | undefined;
    const port = await plain(async (request, response) => {
      arrived = await bodyOf(request);
      response.setHeader('etag', '"e1"').end();
    });
    const part = partOf(body.subarray(0, 5_000_000), body.subarray(5_000_000));
    await storeOf().store(putTo(`http://127.0.0.1:${port}/x`), part, never);
    expect(arrived?.equals(body)).toBe(true);
  });

  test('goes by TLS to whom the authorities of the link vouch for', async () => {
    const server = createHttpsServer(loopbackCertificate, (request, response) => {
      request.resume().on('end', () => response.setHeader('etag', '"e1"').end());
    });
    const port = await listen(server);
    const store = storeOf();
    expect(await store.store(putTo(`https://localhost:${port}/x`), small, never)).toBe('"e1"');
    const stranger = new HttpsPartStore({
      rules: { relayHost: 'localhost', hosts: [], insecure: false },
      secureContext: () => createSecureContext(),
      env: {},
      clock: systemClock,
    });
    const error = await failure(stranger.store(putTo(`https://localhost:${port}/x`), small, never));
    expect(error.message).toMatch(/^localhost cannot be reached: \w*SELF_SIGNED_CERT\w*$/);
  });

  test('goes over the connection of the one before it', async () => {
    const sockets = new Set<unknown>();
    const port = await plain((request, response) => {
      sockets.add(request.socket);
      request.resume().on('end', () => response.setHeader('etag', '"e1"').end());
    });
    const store = storeOf();
    for (let i = 0; i < 3; i += 1) {
      await store.store(putTo(`http://127.0.0.1:${port}/x`), small, never);
    }
    expect(sockets.size).toBe(1);
  });

  test('goes through the proxy that the environment names', async () => {
    const port = await plain((request, response) => {
      request.resume().on('end', () => response.setHeader('etag', '"e1"').end());
    });
    const asked: (string | undefined)[] = [];
    const proxy = createServer();
    proxy.on('connect', (request, client) => {
      asked.push(request.url);
      const upstream = connect(port, '127.0.0.1', () => {
        client.write('HTTP/1.1 200 OK\r\n\r\n');
        upstream.pipe(client).pipe(upstream);
      });
      upstream.on('error', () => client.destroy());
      client.on('error', () => upstream.destroy());
    });
    const env = { HTTP_PROXY: `http://127.0.0.1:${await listen(proxy)}` };
    expect(await storeOf(env).store(putTo(`http://127.0.0.1:${port}/x`), small, never)).toBe(
      '"e1"',
    );
    expect(asked).toEqual([`127.0.0.1:${port}`]);
  });
});

describe('a part is not stored', () => {
  test.each([
    [301, '', false, 'the storage answered 301'],
    [
      403,
      '<Error><Code>SignatureDoesNotMatch</Code></Error>',
      false,
      ' 403 (SignatureDoesNotMatch)',
    ],
    [400, '<Code>no code</Code>', false, 'the storage answered 400'],
    [408, '', true, 'the storage answered 408'],
    [429, '', true, 'the storage answered 429'],
    [503, '<Code>SlowDown</Code>', true, 'the storage answered 503 (SlowDown)'],
  ])('where the storage answers %i', async (status, body, retryable, message) => {
    const port = await plain((request, response) => {
      request.resume().on('end', () => response.writeHead(status, { location: '/' }).end(body));
    });
    const error = await failure(storeOf().store(putTo(`http://127.0.0.1:${port}/x`), small, never));
    expect(error.message.endsWith(message)).toBe(true);
    expect(error.retryable).toBe(retryable);
  });

  test('where the answer comes before the body was sent, which is then not sent', async () => {
    const port = await plain((_request, response) => {
      response.writeHead(403, { connection: 'close' }).end();
    });
    const part = partOf(Buffer.alloc(8 * 1024 * 1024));
    const error = await failure(storeOf().store(putTo(`http://127.0.0.1:${port}/x`), part, never));
    expect(error.message).toMatch(
      /^the storage answered 403$|cannot be reached: E(PIPE|CONNRESET)$/,
    );
  });

  test('where the storage names no ETag, or one that the wire does not take', async () => {
    for (const etag of [undefined, '"a b"', 'x'.repeat(129)]) {
      const port = await plain((request, response) => {
        if (etag !== undefined) response.setHeader('etag', etag);
        request.resume().on('end', () => response.end());
      });
      const error = await failure(
        storeOf().store(putTo(`http://127.0.0.1:${port}/x`), small, never),
      );
      expect(error).toMatchObject({
        message: 'the storage answered without an ETag',
        retryable: false,
      });
    }
  });

  test('where nobody listens, or the connection breaks', async () => {
    const broken = await plain((request) => request.socket.destroy());
    const port = await plain(() => {});
    const gone = servers.pop() as Server;
    gone.close();
    await once(gone, 'close');
    for (const [to, why] of [
      [port, 'ECONNREFUSED'],
      [broken, 'ECONNRESET'],
    ] as const) {
      const url = `http://127.0.0.1:${to}/x?secret`;
      const error = await failure(storeOf().store(putTo(url), small, never));
      expect(error).toMatchObject({
        message: `127.0.0.1 cannot be reached: ${why}`,
        retryable: true,
      });
    }
  });

  test('where nothing moves for 30 s', async () => {
    const clock = new ManualClock();
    const arrived = Promise.withResolvers<void>();
    const port = await plain((request) => {
      request.resume().on('end', () => arrived.resolve());
    });
    const stored = failure(
      storeOf({}, clock).store(putTo(`http://127.0.0.1:${port}/x`), small, never),
    );
    await arrived.promise;
    clock.advance(30_000);
    expect(await stored).toMatchObject({
      message: 'nothing moved to 127.0.0.1 for 30000 ms',
      retryable: true,
    });
    expect(clock.pending).toBe(0);
  });

  test('where its pull has ended', async () => {
    const abort = new AbortController();
    const port = await plain(() => abort.abort());
    const url = `http://127.0.0.1:${port}/x`;
    await failure(storeOf().store(putTo(url), small, abort.signal));
  });

  test('where the proxy refuses', async () => {
    const proxy = createServer();
    proxy.on('connect', (_request, client) => {
      client.end('HTTP/1.1 407 No\r\ncontent-length: 0\r\n\r\n');
    });
    const env = { HTTP_PROXY: `http://user:hunter2@127.0.0.1:${await listen(proxy)}` };
    const error = await failure(storeOf(env).store(putTo('http://127.0.0.1:1/x'), small, never));
    expect(error.message).toBe('the proxy answered 407 for 127.0.0.1');
  });

  test('where the agent may not store', async () => {
    const error = await failure(storeOf().store(putTo('https://10.0.0.1/x'), small, never));
    expect(error.message).toContain('not among uploadHosts');
  });
});
