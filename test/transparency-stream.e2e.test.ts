import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { largeBytes } from './src/large-file.ts';
import { Origin } from './src/origin.ts';
import { RawConnection } from './src/raw-http.ts';
import { World } from './src/world.ts';

const megabytes = 1_000_000;

describe.each(['bin', 'json'])('over pullwire.v1+%s', (encoding) => {
  let origin: Origin;
  let world: World;
  let caller: RawConnection;

  beforeAll(async () => {
    origin = await Origin.start();
    world = await World.start({
      agent: { encodings: [encoding] },
      sources: {
        origin: {
          kind: 'http',
          url: origin.url,
          allow: [{ methods: ['GET', 'PUT'], paths: ['/**'] }],
          limits: { requestBytes: '200MB' },
        },
      },
      relayEnv: { PULLWIRE_RELAY_LIMITS_REQUEST_BODY_BYTES: '200000000' },
    });
    caller = await RawConnection.open({ port: world.port });
  });
  afterAll(async () => {
    caller?.close();
    await world?.stop();
    await origin?.stop();
  });

  function head(method: string, path: string, ...headers: string[]): string {
    const target = world.path('origin', path);
    const lines = [`${method} ${target} HTTP/1.1`, 'Host: relay', ...headers];
    return `${[...lines, `Pullwire-Key: ${world.callerKey}`].join('\r\n')}\r\n\r\n`;
  }

  it('each event arrives before the next one is sent', async () => {
    await caller.send(head('GET', '/events', 'Accept: text/event-stream'));
    const request = await origin.next();
    request.send(
      'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n',
    );
    const reply = await headOf(caller);
    expect(reply.headers).toContain('text/event-stream');
    const body = caller.body('GET', reply);
    for (let i = 0; i < 50; i += 1) {
      const event = `id: ${i}\ndata: ${'x'.repeat(i)}\n\n`;
      request.send(`${event.length.toString(16)}\r\n${event}\r\n`);
      expect((await body.piece())?.toString()).toBe(event);
    }
    request.send('0\r\n\r\n');
    request.finish();
    expect(await body.piece()).toBeUndefined();
    expect(body.end).toBe('complete');
  });

  it('each piece of a request arrives before the next one is sent', async () => {
    await caller.send(head('PUT', '/trickle', 'Transfer-Encoding: chunked'));
    await caller.send('1\r\n0\r\n');
    const request = await origin.next();
    expect((await request.body.piece())?.toString()).toBe('0');
    for (let i = 1; i < 50; i += 1) {
      const piece = String(i).repeat(i);
      await caller.send(`${piece.length.toString(16)}\r\n${piece}\r\n`);
      expect((await request.body.piece())?.toString()).toBe(piece);
    }
    await caller.send('0\r\n\r\n');
    expect(await request.body.piece()).toBeUndefined();
    request.send('HTTP/1.1 204 No Content\r\n\r\n');
    request.finish();
    expect((await caller.reply()).status).toBe(204);
  });

  it('a reply begins while its request is still being sent', async () => {
    await caller.send(head('PUT', '/echo', 'Transfer-Encoding: chunked'));
    await caller.send('4\r\nping\r\n');
    const request = await origin.next();
    expect((await request.body.piece())?.toString()).toBe('ping');
    request.send('HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\npong');
    const body = caller.body('PUT', await headOf(caller));
    expect((await body.piece())?.toString()).toBe('pong');
    await caller.send('4\r\nping\r\n0\r\n\r\n');
    expect((await request.body.collect()).bytes.toString()).toBe('ping');
    request.send('pong');
    request.finish();
    expect((await body.collect()).bytes.toString()).toBe('pong');
    expect(body.end).toBe('complete');
  });

  it('a chunked upload of 100 MB arrives byte for byte', async () => {
    await caller.send(head('PUT', '/upload', 'Transfer-Encoding: chunked'));
    const hash = createHash('sha256');
    const sent = (async () => {
      for (const piece of largeBytes(100 * megabytes)) {
        hash.update(piece);
        await caller.send(`${piece.length.toString(16)}\r\n`);
        await caller.send(piece);
        await caller.send('\r\n');
      }
      await caller.send('0\r\n\r\n');
    })();
    const request = await origin.next();
    const received = await request.body.hash();
    await sent;
    expect(received).toBe(hash.digest('hex'));
    request.send('HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n');
    request.finish();
    expect((await caller.reply()).status).toBe(201);
  });

  it('pipelined requests are answered in their order, however the origin answers', async () => {
    await caller.send(head('GET', '/1') + head('GET', '/2') + head('GET', '/3'));
    const requests = [await origin.next(), await origin.next(), await origin.next()];
    for (const request of requests.reverse()) {
      request.send(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n${request.target}`);
      request.finish();
    }
    const replies = [await caller.reply(), await caller.reply(), await caller.reply()];
    expect(replies.map(({ bytes }) => bytes.toString())).toEqual(['/1', '/2', '/3']);
  });

  it('leaves no pull behind', async () => {
    expect(await world.relay.snapshot()).toMatchObject({ pullsInFlight: 0 });
    expect(origin.unasked).toBe(0);
  });
});

async function headOf(caller: RawConnection) {
  const head = await caller.head();
  if (head === undefined) throw new Error('the connection ended before a reply');
  return head;
}
