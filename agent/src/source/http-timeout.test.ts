import { createServer, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { ManualClock } from '@pullwire/shared/manual-clock';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { RecordingReply } from '../../test/source/recording-reply.ts';
import { openFrom } from '../../test/source/source-deps.ts';
import { sourceRequest } from '../../test/source/source-request.ts';
import { type Handler, RawUpstream, TestUpstream } from '../../test/source/test-upstream.ts';
import type { SourceRequest } from './source.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const limits = { timeoutMs: 10_000, idleMs: 30_000, connectMs: 5_000 };

/** A pull at an upstream, at a time that only the test moves. */
async function pullAt(handler: Handler, more: Partial<SourceRequest>, config: object = {}) {
  const server = new TestUpstream().on('/x', handler);
  await server.listen();
  closers.push(() => server.close());
  return { server, ...pullFrom(server.url, more, config) };
}

function pullFrom(url: string, more: Partial<SourceRequest>, config: object = {}) {
  const clock = new ManualClock();
  const source = openFrom({ kind: 'http', url, limits: { ...limits, ...config } }, { clock });
  closers.push(() => source.close());
  const reply = new RecordingReply();
  const run = source.open(sourceRequest('/x', more), reply);
  return { clock, source, reply, run };
}

const clients: [string, string[]][] = [
  ['undici', []],
  ['node:http', ['Expect', '100-continue']],
];

describe.each(clients)('with %s, an upstream', (_client, headers) => {
  it('that never answers is given up after its time-out, and its connection closed', async () => {
    const asked = Promise.withResolvers<void>();
    const { clock, reply, server } = await pullAt(() => asked.resolve(), { headers });
    await asked.promise;
    clock.advance(9_999);
    expect(reply.isOver).toBe(false);
    clock.advance(1);
    expect(reply.fault).toMatchObject({ code: 'upstream-timeout', stage: 'upstream', status: 504 });
    await vi.waitFor(() => expect(server.sockets.size).toBe(0));
    expect(clock.pending).toBe(0);
  });

  it('has no more time than the pull', async () => {
    const asked = Promise.withResolvers<void>();
    const { clock, reply } = await pullAt(() => asked.resolve(), { headers, budgetMs: 700 });
    await asked.promise;
    clock.advance(700);
    expect(reply.fault?.code).toBe('upstream-timeout');
  });

  it('that falls silent in the body is given up after the idle limit', async () => {
    let write: ((text: string) => void) | undefined;
    const { clock, reply } = await pullAt(
      (_request, response) => {
        response.writeHead(200);
        write = (text) => response.write(text);
        write('1');
      },
      { headers },
    );
    await reply.until(({ text }) => text === '1');
    clock.advance(29_000);
    write?.('2');
    await reply.until(({ text }) => text === '12');
    clock.advance(29_999);
    expect(reply.isOver).toBe(false);
    clock.advance(1);
    expect(reply.fault).toMatchObject({ code: 'idle-timeout', stage: 'stream' });
    expect(clock.pending).toBe(0);
  });

  it('is held to an idle limit that is shorter than the time-out', async () => {
    const { clock, reply } = await pullAt(
      (_request, response) => {
        response.writeHead(200).write('1');
      },
      { headers },
      { idleMs: 500 },
    );
    await reply.until(({ bytes }) => bytes > 0);
    clock.advance(500);
    expect(reply.fault?.code).toBe('idle-timeout');
  });

  it('is not idle while we hold it back', async () => {
    const { clock, reply, run } = await pullAt(
      (_request, response) => {
        response.writeHead(200).write('1');
      },
      { headers },
    );
    reply.hasRoom = false;
    await reply.until(({ bytes }) => bytes > 0);
    await Promise.resolve();
    clock.advance(500_000);
    expect(reply.isOver).toBe(false);
    run.resume();
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(29_999);
    expect(reply.isOver).toBe(false);
    clock.advance(30_001);
    expect(reply.fault?.code).toBe('idle-timeout');
  });

  it('that closes its connection while the last of its body is held back has answered', async () => {
    const body = Buffer.alloc(300_000, 'x');
    const { reply, run, server } = await pullAt(
      (_request, response) => {
        response.setHeader('Content-Length', body.length);
        response.end(body, () => response.socket?.destroySoon());
      },
      { headers },
    );
    reply.hasRoom = false;
    await vi.waitFor(() => expect([reply.bytes > 0, server.sockets.size]).toEqual([true, 0]));
    while (!reply.isOver) {
      const seen = reply.bytes;
      // The end of the connection is told while the last piece is held back.
      for (let turn = 0; turn < 5; turn += 1) await new Promise((next) => setImmediate(next));
      run.resume();
      await reply.until(({ bytes, isOver }) => isOver || bytes > seen);
    }
    expect([reply.fault, reply.bytes, reply.violations]).toEqual([undefined, 300_000, []]);
  });

  it('has its full time-out after each piece of the request it took', async () => {
    let taken = 0;
    const took = [1, 2, 3].map(() => Promise.withResolvers<void>());
    const body = new PassThrough();
    const handler: Handler = (request) => {
      request.on('data', () => {
        took[taken]?.resolve();
        taken += 1;
      });
    };
    body.write('1');
    const { clock, reply } = await pullAt(handler, { method: 'PUT', headers, body });
    await took[0]?.promise;
    clock.advance(9_000);
    body.write('2');
    await took[1]?.promise;
    clock.advance(9_000);
    body.end('3');
    await took[2]?.promise;
    clock.advance(9_999);
    expect(reply.isOver).toBe(false);
    clock.advance(1);
    expect(reply.fault?.code).toBe('upstream-timeout');
  });

  it('is not blamed where the caller sends nothing more', async () => {
    const took = Promise.withResolvers<void>();
    const body = new PassThrough();
    body.write('1');
    const { clock, reply } = await pullAt((request) => void request.on('data', took.resolve), {
      method: 'PUT',
      headers,
      body,
    });
    await took.promise;
    clock.advance(10_000);
    expect(reply.fault).toMatchObject({ code: 'idle-timeout', stage: 'upstream' });
    expect(reply.fault?.message).toContain('the caller sent nothing');
    expect(body.destroyed).toBe(true);
  });

  it('leaves no timer behind when all goes well, or the pull is cancelled', async () => {
    const well = await pullAt((_request, response) => response.end('ok'), { headers });
    await well.reply.over();
    expect(well.clock.pending).toBe(0);
    const left = await pullAt((_request, response) => void response.write('1'), { headers });
    await left.reply.until(({ bytes }) => bytes > 0);
    left.run.cancel();
    expect(left.clock.pending).toBe(0);
  });
});

describe('an upstream that takes no connection', () => {
  /** Listens, and lets the handshake of TLS wait for ever. */
  async function silent(): Promise<{ port: number; sockets: Set<Socket> }> {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closers.push(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    return { port: (server.address() as { port: number }).port, sockets };
  }

  it('in time is given up, with undici', async () => {
    const { port } = await silent();
    const { reply } = pullFrom(`https://127.0.0.1:${port}`, {}, { connectMs: 50 });
    await reply.over();
    expect(reply.fault).toMatchObject({
      code: 'upstream-connect-timeout',
      stage: 'upstream-connect',
      status: 504,
    });
  });

  it('in time is given up, with node:http', async () => {
    const { port } = await silent();
    const headers = ['Expect', '100-continue'];
    const { reply, clock } = pullFrom(`https://127.0.0.1:${port}`, { headers });
    await clock.timerOf(5_000);
    clock.advance(5_000);
    expect(reply.fault?.code).toBe('upstream-connect-timeout');
    expect(clock.pending).toBe(0);
  });

  it.each(clients)('within the time of the pull is given up, with %s', async (_client, headers) => {
    const { port } = await silent();
    const { reply, clock } = pullFrom(`https://127.0.0.1:${port}`, { headers, budgetMs: 200 });
    clock.advance(200);
    expect(reply.fault?.code).toBe('upstream-connect-timeout');
  });
});

it('a slow but steady upstream is waited for', async () => {
  const raw = await new RawUpstream((socket) => void socket.write('HTTP/1.1 200 OK\r\n')).listen();
  closers.push(() => raw.close());
  const { reply, clock } = pullFrom(raw.url, {});
  await vi.waitFor(() => expect(raw.received).toContain('\r\n\r\n'));
  const [socket] = raw.sockets;
  clock.advance(9_000);
  socket?.write('Content-Length: 3\r\n\r\n');
  await reply.until(({ status }) => status === 200);
  for (const letter of 'abc') {
    clock.advance(29_000);
    socket?.write(letter);
    await reply.until(({ text }) => text.endsWith(letter));
  }
  expect(await reply.over()).toMatchObject({ text: 'abc', fault: undefined });
});
