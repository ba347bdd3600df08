import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { systemClock } from '@pullwire/shared';
import { ManualClock } from '@pullwire/shared/manual-clock';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeRelay } from './fake-relay.ts';
import { LinkSocket } from './link-socket.ts';
import { ReconnectingSocket, type ReconnectingSocketOptions } from './reconnecting-socket.ts';
import type { LinkEnd } from './redial-policy.ts';

let relay: FakeRelay;
let dialler: ReconnectingSocket | undefined;
let ends: LinkEnd[];

beforeEach(async () => {
  relay = new FakeRelay();
  await relay.start();
  ends = [];
});

afterEach(async () => {
  await dialler?.stop();
  await relay.stop();
});

function dial(over: Partial<ReconnectingSocketOptions> = {}): ReconnectingSocket {
  dialler = new ReconnectingSocket({
    url: relay.url,
    subprotocols: ['pullwire.v1+bin', 'pullwire.v1+json'],
    clock: systemClock,
    handshakeMs: 5_000,
    closeMs: 1_000,
    prepare: async () => ({ headers: { authorization: 'Bearer t' } }),
    waitAfter: (end) => {
      ends.push(end);
      return 1;
    },
    onDial: () => {},
    ...over,
  });
  dialler.start();
  return dialler;
}

/** Counts connections and does with them what the test says. */
async function rawServer(handle: (socket: Socket) => void) {
  const sockets = new Set<Socket>();
  const waiting: (() => void)[] = [];
  let count = 0;
  const server = createServer((socket) => {
    count += 1;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    handle(socket);
    for (const wake of waiting.splice(0)) wake();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/link`,
    sockets,
    async connections(n: number): Promise<void> {
      while (count < n) await new Promise<void>((resolve) => waiting.push(resolve));
    },
    async stop(): Promise<void> {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

describe('the traps of reconnecting-websocket', () => {
  it('1: a relay that never answers the handshake does not end the process', async () => {
    const silent = await rawServer(() => {});
    dial({ url: silent.url, handshakeMs: 30 });
    await silent.connections(3);
    await dialler?.stop();
    expect(ends[0]).toMatchObject({ cause: 'unreachable' });
    await silent.stop();
  });

  it('1: a relay that trickles its answer is given up after the time for the whole', async () => {
    const trickling = await rawServer((socket) => {
      const timer = setInterval(() => socket.write('X-A: b\r\n'), 10);
      socket.on('close', () => clearInterval(timer));
      socket.write('HTTP/1.1 101 Switching Protocols\r\n');
    });
    dial({ url: trickling.url, handshakeMs: 100 });
    await trickling.connections(2);
    await dialler?.stop();
    await trickling.stop();
  });

  it('2: an attempt that cannot be prepared is followed by another', async () => {
    const clock = new ManualClock();
    let prepared = 0;
    dial({
      clock,
      prepare: async () => {
        prepared += 1;
        if (prepared < 3) throw new Error('the key is gone');
        return { headers: {} };
      },
      waitAfter: (end) => {
        ends.push(end);
        return 7;
      },
    });
    for (let failure = 0; failure < 2; failure += 1) {
      await clock.timerOf(1_000);
      clock.advance(1_000);
      await clock.timerOf(7);
      clock.advance(7);
    }
    await relay.link();
    expect(ends).toEqual([
      expect.objectContaining({ reason: expect.stringContaining('the key is gone') }),
      expect.objectContaining({ cause: 'unreachable' }),
    ]);
  });

  it('3: stop during a wait leaves no timer and no socket, and a new object dials again', async () => {
    const clock = new ManualClock();
    relay.refusals.push({ status: 503 });
    const first = dial({ clock, waitAfter: () => 60_000 });
    await clock.timerOf(60_000);
    await first.stop();
    expect(clock.pending).toBe(0);
    expect(relay.requests).toHaveLength(1);
    dial({ clock });
    await relay.link();
    expect(relay.requests).toHaveLength(2);
  });

  it('3: stop while the relay has not answered yet ends the attempt', async () => {
    const silent = await rawServer(() => {});
    const pending = dial({ url: silent.url });
    await silent.connections(1);
    const [socket] = silent.sockets;
    const closed = socket && once(socket, 'close');
    await pending.stop();
    await closed;
    await silent.stop();
  });

  it('3: it dials more often than the package would by default retry without a word', async () => {
    relay.refusals.push(...Array.from({ length: 12 }, () => ({ status: 503 })));
    dial();
    await relay.link();
    expect(relay.requests).toHaveLength(13);
  });

  it('4: a refusal at the upgrade shows its status, Retry-After and detail', async () => {
    relay.refusals.push({
      status: 429,
      headers: { 'retry-after': '7', 'content-type': 'application/problem+json' },
      body: JSON.stringify({ detail: 'too many links' }),
    });
    let refused: LinkSocket | undefined;
    dial({
      waitAfter: (end, socket) => {
        ends.push(end);
        refused = socket;
        return 1;
      },
    });
    await relay.link();
    expect(ends).toEqual([{ cause: 'refused', status: 429, retryAfterMs: 7_000 }]);
    expect(refused?.refusal?.detail).toBe('too many links');
  });

  it('4: a refusal whose body never ends is cut off', async () => {
    relay.refusals.push({
      status: 401,
      headers: { 'content-length': '1000000' },
      body: 'x'.repeat(8_192),
    });
    dial();
    await relay.link();
    expect(ends).toEqual([{ cause: 'refused', status: 401 }]);
  });

  it('4: a final answer stops it', async () => {
    relay.refusals.push({ status: 403 });
    const final = Promise.withResolvers<LinkEnd>();
    dial({
      waitAfter: (end) => {
        final.resolve(end);
        return undefined;
      },
    });
    expect(await final.promise).toEqual({ cause: 'refused', status: 403 });
    await dialler?.stop();
    expect(relay.requests).toHaveLength(1);
  });

  it('takes its time to find out why, and stops doing so when it is stopped', async () => {
    relay.refusals.push({ status: 503 }, { status: 503 });
    const told: LinkEnd[] = [];
    const asked = Promise.withResolvers<AbortSignal>();
    dial({
      explain: (end, _socket, signal) => {
        if (told.length === 0) return Promise.resolve({ cause: 'unreachable', reason: 'found' });
        asked.resolve(signal);
        return new Promise((resolve) => signal.addEventListener('abort', () => resolve(end)));
      },
      waitAfter: (end) => {
        told.push(end);
        return 1;
      },
    });
    const signal = await asked.promise;
    await dialler?.stop();
    expect(signal.aborted).toBe(true);
    expect(told).toEqual([{ cause: 'unreachable', reason: 'found' }]);
    expect(relay.requests).toHaveLength(2);
  });

  it('5: each attempt waits as long as it is told', async () => {
    const clock = new ManualClock();
    relay.refusals.push({ status: 503 }, { status: 503 });
    const waits = [1_234, 5_678];
    dial({ clock, waitAfter: () => waits.shift() });
    await clock.timerOf(1_234);
    clock.advance(1_233);
    expect(relay.requests).toHaveLength(1);
    clock.advance(1);
    await clock.timerOf(5_678);
    expect(relay.requests).toHaveLength(2);
    clock.advance(5_678);
    await relay.link();
  });

  it('dials each attempt with what was prepared for it', async () => {
    let n = 0;
    relay.refusals.push({ status: 401 }, { status: 401 });
    dial({ prepare: async () => ({ headers: { authorization: `Bearer ${++n}` } }) });
    await relay.link();
    const sent = relay.requests.map((request) => request.headers.authorization);
    expect(sent).toEqual(['Bearer 1', 'Bearer 2', 'Bearer 3']);
    expect(relay.requests[0]?.headers['sec-websocket-protocol']).toBe(
      'pullwire.v1+bin,pullwire.v1+json',
    );
    expect(relay.requests[0]?.headers['sec-websocket-extensions']).toBeUndefined();
  });

  it('does not follow a redirect, which would take the token elsewhere', async () => {
    relay.refusals.push({ status: 307, headers: { location: `http://127.0.0.1:${relay.port}/x` } });
    dial();
    await relay.link();
    expect(ends).toEqual([{ cause: 'refused', status: 307 }]);
    expect(relay.requests.map((request) => request.url)).toEqual(['/link', '/link']);
  });

  it('dials again only when the socket before is gone', async () => {
    const states: number[][] = [];
    const dialled: LinkSocket[] = [];
    dial({
      closeMs: 50,
      onDial: (socket) => {
        states.push(dialled.map(({ readyState }) => readyState));
        dialled.push(socket);
      },
    });
    const first = await relay.link();
    // It reads nothing, so that the closing handshake hangs, and sends a reserved bit, so that `ws` reports an error.
    first.ws.pause();
    (first.ws as unknown as { _socket: Socket })._socket.write(Buffer.from([0xf2, 0x00]));
    await relay.link();
    expect(ends).toHaveLength(1);
    expect(states).toEqual([[], [LinkSocket.CLOSED]]);
  });

  it('goes on while no relay is there', async () => {
    const away = await rawServer(() => {});
    await away.stop();
    const twice = Promise.withResolvers<void>();
    dial({
      url: away.url,
      waitAfter: (end) => {
        ends.push(end);
        if (ends.length === 2) twice.resolve();
        return 1;
      },
    });
    await twice.promise;
    expect(ends[0]).toEqual({
      cause: 'unreachable',
      reason: expect.stringContaining('ECONNREFUSED'),
    });
  });
});
