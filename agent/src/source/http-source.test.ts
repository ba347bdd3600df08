import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { RecordingReply } from '../../test/source/recording-reply.ts';
import { openFrom } from '../../test/source/source-deps.ts';
import { sourceRequest } from '../../test/source/source-request.ts';
import { RawUpstream, TestUpstream } from '../../test/source/test-upstream.ts';
import type { Source, SourceRequest } from './source.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function open(url: string, config: object = {}): Source {
  const source = openFrom({ kind: 'http', url, ...config });
  closers.push(() => source.close());
  return source;
}

function pull(source: Source, target: string, more: Partial<SourceRequest> = {}) {
  const reply = new RecordingReply();
  const run = source.open(sourceRequest(target, more), reply);
  return { reply, run };
}

async function ask(source: Source, target: string, more: Partial<SourceRequest> = {}) {
  return pull(source, target, more).reply.over();
}

async function serve(handler: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = new TestUpstream().on('/x', handler);
  await server.listen();
  closers.push(() => server.close());
  return server;
}

/** Answers each request head with the same bytes. */
async function serveRaw(answer: string, andThen: 'keep' | 'close' = 'close') {
  const server = await new RawUpstream((socket, received) => {
    if (!received.includes('\r\n\r\n')) return;
    socket.write(Buffer.from(answer, 'latin1'));
    if (andThen === 'close') socket.end();
  }).listen();
  closers.push(() => server.close());
  return server;
}

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const clients: [string, string[]][] = [
  ['undici', []],
  ['node:http', ['Expect', '100-continue']],
];

describe.each(clients)('a request through %s', (client, expectation) => {
  it('reaches the upstream byte for byte', async () => {
    const upstream = await serveRaw(ok);
    const headers = ['X-b', '2', 'x-A', '1', 'X-b', '3', 'X-Obs', 'caf\u00e9 \u00ff'];
    const reply = await ask(open(upstream.url), '/a%2fB%C3%A9;v=1/?x=%zz&&y=+\u00e9', {
      method: 'M-ODD!',
      headers: [...headers, ...expectation],
    });
    expect(reply).toMatchObject({ status: 200, text: 'ok', fault: undefined });
    const [line, ...sent] = upstream.received.split('\r\n');
    expect(line).toBe('M-ODD! /a%2fB%C3%A9;v=1/?x=%zz&&y=+\u00e9 HTTP/1.1');
    const fields = sent.filter((field) => /^x-/i.test(field));
    expect(fields).toEqual(['X-b: 2', 'x-A: 1', 'X-b: 3', 'X-Obs: caf\u00e9 \u00ff']);
  });

  it('has the Host of the upstream, and nothing that is hop-by-hop', async () => {
    const upstream = await serveRaw(ok);
    await ask(open(upstream.url), '/x', {
      headers: [
        ...['Host', 'caller.example', 'Connection', 'close, X-Foo', 'X-Foo', 'a', 'TE', 'trailers'],
        ...['Proxy-Authorization', 'Basic x', 'Keep-Alive', '5', 'Authorization', 'Bearer mine'],
        ...expectation,
      ],
    });
    const head = upstream.received.toLowerCase();
    expect(head.match(/^host: .*$/gm)).toEqual([`host: ${new URL(upstream.url).host}`]);
    expect(head).not.toMatch(/^(x-foo|te|keep-alive|proxy-authorization|transfer-encoding):/m);
    expect(head).toContain('\r\nauthorization: bearer mine\r\n');
  });

  it('carries the configured headers in place of the same ones of the caller', async () => {
    const upstream = await serveRaw(ok);
    const dir = tempDir();
    const source = openFrom(
      {
        kind: 'http',
        url: upstream.url,
        headers: { 'X-Key': { env: 'KEY' }, Authorization: 'Bearer ours', Host: 'virtual.example' },
      },
      { env: { KEY: 's3cret' } },
    );
    closers.push(() => source.close(), dir);
    await ask(source, '/x', { headers: ['authorization', 'theirs', 'x-KEY', '1', ...expectation] });
    const fields = upstream.received.split('\r\n').slice(1);
    expect(fields.filter((field) => /^(x-key|auth|host)/i.test(field)).sort()).toEqual(
      [
        'Authorization: Bearer ours',
        client === 'undici' ? 'host: virtual.example' : 'Host: virtual.example',
        'X-Key: s3cret',
      ].sort(),
    );
  });

  it('goes below the base path, and through a Unix socket', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'pullwire-'));
    closers.push(() => rmSync(dir, { recursive: true }));
    const server = new TestUpstream().on('/base/x', (request, response) => {
      response.end(`${request.headers.host} ${request.url}`);
    });
    await server.listen(join(dir, 's.sock'));
    closers.push(() => server.close());
    const source = open(`unix:${join(dir, 's.sock')}:/base/`);
    const reply = await ask(source, '/x?y', { headers: expectation });
    expect(reply.text).toBe('localhost /base/x?y');
  });

  it.each([
    ['as bytes', () => Buffer.from('some bytes'), [] as string[]],
    [
      'as a stream of known length',
      () => Readable.from([Buffer.from('some '), Buffer.from('bytes')]),
      ['Content-Length', '10'],
    ],
    [
      'as a stream of unknown length',
      () => Readable.from([Buffer.from('some '), Buffer.from('bytes')]),
      [],
    ],
  ])('has its body %s', async (how, body, length) => {
    const server = await serve((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('end', () => {
        const { 'content-length': declared = '', 'transfer-encoding': coding = '' } =
          request.headers;
        response.end(`${declared}${coding}: ${Buffer.concat(chunks)}`);
      });
    });
    for (const method of ['POST', 'GET', 'DELETE']) {
      const headers = [...length, ...expectation];
      const reply = await ask(open(server.url), '/x', { method, headers, body: body() });
      const framing = how === 'as a stream of unknown length' ? 'chunked' : '10';
      expect(reply.text, method).toBe(`${framing}: some bytes`);
    }
  });

  it('takes a large body as fast as the upstream does, and no faster', async () => {
    const hash = createHash('sha256');
    let bytes = 0;
    const server = await serve((request, response) => {
      request.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        hash.update(chunk);
      });
      request.on('end', () => response.end(hash.digest('hex')));
    });
    const pieces = Array.from({ length: 512 }, (_, i) => Buffer.alloc(64 * 1024, i % 251));
    const body = Readable.from(pieces, { objectMode: false, highWaterMark: 64 * 1024 });
    const reply = await ask(open(server.url), '/x', { method: 'PUT', headers: expectation, body });
    const expected = createHash('sha256');
    for (const piece of pieces) expected.update(piece);
    expect(bytes).toBe(512 * 64 * 1024);
    expect(reply.text).toBe(expected.digest('hex'));
  });

  it.each([
    ['fails', (body: PassThrough) => body.destroy(new Error('lost')), [] as string[]],
    ['is cut off', (body: PassThrough) => body.destroy(), []],
    ['is shorter than declared', (body: PassThrough) => body.end(), ['Content-Length', '100']],
    [
      'is longer than declared',
      (body: PassThrough) => body.end('x'.repeat(200)),
      ['Content-Length', '100'],
    ],
  ])('whose body %s ends as such, and not whole at the upstream', async (_how, act, length) => {
    const body = new PassThrough();
    let isWhole = false;
    const gone = Promise.withResolvers<void>();
    const server = await serve((request) => {
      request.on('data', () => act(body));
      request.on('end', () => {
        isWhole = true;
      });
      request.on('error', () => {});
      request.on('close', gone.resolve);
    });
    body.write('begin');
    const headers = [...length, ...expectation];
    const reply = await ask(open(server.url), '/x', { method: 'PUT', headers, body });
    expect(reply.fault).toMatchObject({ code: 'request-body-broken', status: 400 });
    await gone.promise;
    expect(isWhole).toBe(false);
  });

  it('gets an answer that comes before its body was read', async () => {
    const server = await serve((_request, response) => {
      response.writeHead(413, { Connection: 'close' }).end('too much');
    });
    const body = new PassThrough();
    body.write('begin');
    const reply = await ask(open(server.url), '/x', { method: 'PUT', headers: expectation, body });
    expect(reply).toMatchObject({ status: 413, text: 'too much', fault: undefined });
    expect(body.destroyed).toBe(true);
  });
});

describe.each(clients)('a reply through %s', (_client, expectation) => {
  async function answered(answer: string, more: Partial<SourceRequest> = {}, config: object = {}) {
    const upstream = await serveRaw(answer);
    const headers = [...(more.headers ?? []), ...expectation];
    return ask(open(upstream.url, config), '/x', { ...more, headers });
  }

  it('keeps status, reason, and the order, case and repetition of its headers', async () => {
    const reply = await answered(
      'HTTP/1.1 299 Tr\u00e8s bien\r\nSet-Cookie: a=1\r\nX-b: caf\u00e9\r\nset-cookie: b=2\r\nSet-Cookie: c=3\r\nContent-Length: 0\r\n\r\n',
    );
    expect(reply).toMatchObject({ status: 299, fault: undefined });
    expect(reply.headers).toEqual([
      ...['Set-Cookie', 'a=1', 'X-b', 'caf\u00e9', 'set-cookie', 'b=2', 'Set-Cookie', 'c=3'],
      ...['Content-Length', '0'],
    ]);
  });

  it('has the reason phrase of the upstream, also an empty one', async () => {
    expect((await answered('HTTP/1.1 200 Fine\r\nContent-Length: 0\r\n\r\n')).reason).toBe('Fine');
    expect((await answered('HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n')).reason).toBe('');
  });

  it('loses what is hop-by-hop', async () => {
    const reply = await answered(
      'HTTP/1.1 200 OK\r\nConnection: close, X-Foo\r\nX-Foo: 1\r\nKeep-Alive: timeout=5\r\nTransfer-Encoding: chunked\r\nX-Bar: 2\r\n\r\n2\r\nok\r\n0\r\n\r\n',
    );
    expect(reply).toMatchObject({ headers: ['X-Bar', '2'], text: 'ok', fault: undefined });
  });

  it.each([
    [
      '206',
      'HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-1/9\r\nContent-Length: 2\r\n\r\nok',
      'GET',
      'ok',
    ],
    ['204', 'HTTP/1.1 204 No Content\r\nX: y\r\n\r\n', 'DELETE', ''],
    ['304', 'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nContent-Length: 500\r\n\r\n', 'GET', ''],
    [
      '302',
      'HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\n\r\n',
      'GET',
      '',
    ],
    ['200', 'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n', 'HEAD', ''],
    ['500', 'HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops', 'GET', 'oops'],
  ])('passes a %s as it is', async (status, answer, method, text) => {
    const reply = await answered(answer, { method });
    expect(reply).toMatchObject({ status: Number(status), text, fault: undefined });
  });

  it('without a length runs to the end of the connection', async () => {
    const reply = await answered('HTTP/1.0 200 OK\r\n\r\nall of it');
    expect(reply).toMatchObject({ status: 200, text: 'all of it', fault: undefined });
  });

  it('without a length breaks off where the connection is reset', async () => {
    const upstream = await new RawUpstream((socket, received) => {
      if (!received.includes('\r\n\r\n')) return;
      socket.write('HTTP/1.1 200 OK\r\n\r\nhalf of it', () => socket.resetAndDestroy());
    }).listen();
    closers.push(() => upstream.close());
    const reply = await ask(open(upstream.url), '/x', { headers: expectation });
    expect(reply).toMatchObject({ status: 200, text: 'half of it' });
    expect(reply.fault).toMatchObject({ code: 'reply-broken', stage: 'stream' });
    expect(reply.fault?.message).toContain('ECONNRESET');
  });

  it('keeps its trailers', async () => {
    const reply = await answered(
      'HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 7\r\nx-sum: 8\r\n\r\n',
    );
    expect(reply).toMatchObject({ headers: ['Trailer', 'X-Sum'], text: 'ok' });
    expect(reply.trailers).toEqual(['X-Sum', '7', 'x-sum', '8']);
  });

  it('keeps a compressed body compressed', async () => {
    const body = gzipSync('hello '.repeat(100)).toString('latin1');
    const reply = await answered(
      `HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    expect(reply.text).toBe(body);
    expect(reply.values('content-encoding')).toEqual(['gzip']);
  });

  it('drops what comes before the final answer', async () => {
    const reply = await answered(
      `HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${ok}`,
    );
    expect(reply).toMatchObject({ status: 200, headers: ['Content-Length', '2'], text: 'ok' });
  });

  it('passes events one by one, as they come', async () => {
    let send: ((event: string) => void) | undefined;
    const server = await serve((_request, response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      send = (event) => (event === '' ? response.end() : response.write(event));
      send('data: 0\n\n');
    });
    const { reply } = pull(open(server.url), '/x', { headers: expectation });
    for (let i = 1; i <= 5; i += 1) {
      await reply.until(({ text }) => text.endsWith(`data: ${i - 1}\n\n`));
      send?.(`data: ${i}\n\n`);
    }
    await reply.until(({ text }) => text.endsWith('data: 5\n\n'));
    send?.('');
    expect(await reply.over()).toMatchObject({ fault: undefined });
  });

  it.each([
    ['no HTTP at all', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['nothing', ''],
    ['half a head', 'HTTP/1.1 200 OK\r\nX: y'],
    [
      'an upgrade nobody asked for',
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
    ],
    ['a status out of range', 'HTTP/1.1 777 What\r\nContent-Length: 0\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok'],
    ['a length that is none', 'HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok'],
    [
      'length and chunks',
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
    ],
    [
      'in a coding nobody asked for',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
    ],
    ['a header with NUL', 'HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 2\r\n\r\nok'],
    ['a folded header', 'HTTP/1.1 200 OK\r\n X: y\r\nContent-Length: 2\r\n\r\nok'],
  ])('that is %s is a fault of the upstream', async (_what, answer) => {
    const reply = await answered(answer);
    expect(reply.fault).toMatchObject({ code: 'upstream-failed', stage: 'upstream', status: 502 });
    expect(reply.status).toBeUndefined();
  });

  it.each([
    ['is shorter than it says', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok'],
    ['ends within a chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nok'],
    [
      'ends before its last chunk',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n',
    ],
    [
      'has no valid chunk',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\nzz\r\n',
    ],
  ])('that %s breaks off', async (_what, answer) => {
    const reply = await answered(answer);
    expect(reply.status).toBe(200);
    expect('ok').toContain(reply.text);
    expect(reply.fault).toMatchObject({ code: 'reply-broken', stage: 'stream' });
  });

  it.each([
    ['one header', `HTTP/1.1 200 OK\r\nX: ${'y'.repeat(17_000)}\r\nContent-Length: 2\r\n\r\nok`],
    ['many headers', `HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(3_000)}Content-Length: 2\r\n\r\nok`],
    ['headers without end', `HTTP/1.1 200 OK\r\n${'X-Flood: yyyyyyyy\r\n'.repeat(100_000)}`],
  ])('with too large a head by %s is refused', async (_what, answer) => {
    const reply = await answered(answer);
    expect(reply.fault).toMatchObject({ code: 'reply-head-too-large', stage: 'upstream' });
    expect(reply.status).toBeUndefined();
  });

  it('keeps a head of many small headers whole', async () => {
    const fields = 'a:\r\n'.repeat(2_500);
    const reply = await answered(`HTTP/1.1 200 OK\r\n${fields}Content-Length: 2\r\n\r\nok`);
    expect(reply.headers).toHaveLength(2 * 2_501);
  });

  it('larger than the policy allows is refused before its head where its length is known', async () => {
    const limits = { limits: { replyBytes: 3 } };
    const known = await answered('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nokay', {}, limits);
    expect(known.fault).toMatchObject({ code: 'reply-too-large', stage: 'upstream' });
    expect(known.status).toBeUndefined();
    const unknown = await answered('HTTP/1.1 200 OK\r\n\r\nokay', {}, limits);
    expect(unknown.fault).toMatchObject({ code: 'reply-too-large', stage: 'stream' });
    expect(unknown).toMatchObject({ status: 200, bytes: 0 });
    const head = await answered(
      'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n',
      { method: 'HEAD' },
      limits,
    );
    expect(head).toMatchObject({ status: 200, fault: undefined });
    const exact = await answered('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes', {}, limits);
    expect(exact).toMatchObject({ text: 'yes', fault: undefined });
  });
});

describe('a pull', () => {
  it('reuses the connections of those before', async () => {
    let connections = 0;
    const server = await serve((_request, response) => response.end('ok'));
    server.server.on('connection', () => {
      connections += 1;
    });
    const source = open(server.url);
    for (let i = 0; i < 20; i += 1) expect((await ask(source, '/x')).text).toBe('ok');
    // The next pull begins before undici has its connection back, so that two take turns.
    expect(connections).toBeLessThanOrEqual(2);
  });

  it('is sent once, and not again when its connection breaks', async () => {
    let requests = 0;
    const server = await serve((_request, response) => {
      requests += 1;
      if (requests === 1) response.end('ok');
      else response.destroy();
    });
    const source = open(server.url);
    await ask(source, '/x');
    expect((await ask(source, '/x')).fault?.code).toBe('upstream-failed');
    expect(requests).toBe(2);
  });

  it('leaves the others alone when it is cancelled', async () => {
    const server = await serve((request, response) => {
      response.writeHead(200).write('begin');
      if (request.url === '/x?end') response.end();
    });
    const source = open(server.url);
    const held = pull(source, '/x?1');
    await held.reply.until(({ bytes }) => bytes > 0);
    held.run.cancel();
    expect((await ask(source, '/x?end')).text).toBe('begin');
    expect(held.reply.isOver).toBe(false);
  });
});

describe('an expectation', () => {
  it('holds the body back until the upstream says continue', async () => {
    let proceed: (() => void) | undefined;
    const server = await serve((request, response) => request.pipe(response));
    const asked = new Promise<void>((resolve) => {
      server.server.on('checkContinue', (request, response) => {
        proceed = () => {
          response.writeContinue();
          server.server.emit('request', request, response);
        };
        resolve();
      });
    });
    let reads = 0;
    const body = new Readable({
      read() {
        reads += 1;
        this.push(reads === 1 ? 'the body' : null);
      },
    });
    const headers = ['Expect', '100-continue', 'Content-Length', '8'];
    const { reply } = pull(open(server.url), '/x', { method: 'PUT', headers, body });
    await asked;
    expect(reads).toBe(0);
    proceed?.();
    expect((await reply.over()).text).toBe('the body');
  });

  it('that the upstream refuses ends the pull with its answer, and the body is never read', async () => {
    const server = await serve(() => {});
    server.server.on('checkContinue', (_request, response) => response.writeHead(417).end('no'));
    const body = new Readable({ read: () => expect.unreachable('was read') });
    const headers = ['Expect', '100-continue'];
    const reply = await ask(open(server.url), '/x', { method: 'PUT', headers, body });
    expect(reply).toMatchObject({ status: 417, text: 'no', fault: undefined });
    expect(body.destroyed).toBe(true);
  });

  it('of another kind is passed on', async () => {
    const server = await serve(() => {});
    server.server.on('checkExpectation', (request, response) => {
      response.writeHead(417).end(request.headers.expect);
    });
    const reply = await ask(open(server.url), '/x', { headers: ['Expect', 'x-magic'] });
    expect(reply).toMatchObject({ status: 417, text: 'x-magic' });
  });

  it('whose body breaks before it was asked for ends the pull', async () => {
    const server = await serve(() => {});
    const body = new PassThrough();
    server.server.on('checkContinue', () => body.destroy());
    const headers = ['Expect', '100-continue'];
    const reply = await ask(open(server.url), '/x', { method: 'PUT', headers, body });
    expect(reply.fault?.code).toBe('request-body-broken');
  });
});

function tempDir(): () => void {
  const dir = mkdtempSync(join(tmpdir(), 'pullwire-'));
  return () => rmSync(dir, { recursive: true });
}
