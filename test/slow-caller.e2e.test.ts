import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { World } from './src/world.ts';

const long = process.env['PULLWIRE_LONG'] === '1';

/** An upstream that streams for ever at `/endless`, and tells when its reader has gone. */
class Spring {
  readonly #server: Server = createServer((request, response) => {
    if (request.url !== '/endless') return response.end('quick');
    this.open.add(response);
    const piece = Buffer.alloc(65_536, 'x');
    const pour = (): void => {
      while (response.writable && response.write(piece)) this.poured += piece.length;
    };
    response.on('drain', pour);
    response.on('close', () => {
      this.open.delete(response);
      this.closedAt = performance.now();
      this.#told?.();
    });
    return pour();
  });
  readonly open = new Set<ServerResponse>();
  poured = 0;
  closedAt = 0;
  #told: (() => void) | undefined;

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Resolves when no reply is open any more. */
  async quiet(): Promise<void> {
    while (this.open.size > 0) {
      await new Promise<void>((resolve) => {
        this.#told = resolve;
      });
    }
  }
}

const spring = new Spring();
let world: World;

beforeAll(async () => {
  const url = await spring.start();
  const limits = { pulls: 64 };
  world = await World.start({
    sources: { web: { kind: 'http', url, allow: [{ paths: ['/**'] }], limits } },
  });
});
afterAll(async () => {
  await world.stop();
  await spring.stop();
});

/** A caller that sends one request and reads when the test says so. */
async function openCaller(path: string): Promise<Socket> {
  const socket = connect(world.port, '127.0.0.1');
  await once(socket, 'connect');
  socket.pause();
  socket.write(
    `GET ${world.path('web', path)} HTTP/1.1\r\nHost: x\r\nPullwire-Key: ${world.callerKey}\r\n\r\n`,
  );
  return socket;
}

/** Milliseconds of each of `count` pulls by each of 20 callers. */
async function timePulls(count: number): Promise<number[]> {
  const times: number[] = [];
  const caller = async (): Promise<void> => {
    for (let i = 0; i < count; i += 1) {
      const startedAt = performance.now();
      const response = await world.pull('web', '/quick');
      expect(await response.text()).toBe('quick');
      times.push(performance.now() - startedAt);
    }
  };
  await Promise.all(Array.from({ length: 20 }, caller));
  return times.sort((a, b) => a - b);
}

const p99 = (sorted: readonly number[]): number => sorted[Math.floor(sorted.length * 0.99)] ?? 0;
const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] ?? 0;

/** Reads 10 KB/s: one small piece at a time. */
function readSlowly(socket: Socket): () => void {
  const timer = setInterval(() => socket.read(1_024), 100);
  return () => {
    clearInterval(timer);
    socket.destroy();
  };
}

test('one caller at 10 KB/s leaves twenty others unaffected, and holds back its own source', async () => {
  await timePulls(20);
  const without: number[] = [];
  const beside: number[] = [];
  for (let round = 0; round < (long ? 9 : 5); round += 1) {
    without.push(p99(await timePulls(40)));
    const slow = await openCaller('/endless');
    await once(slow, 'readable');
    const stop = readSlowly(slow);
    beside.push(p99(await timePulls(40)));
    stop();
    await spring.quiet();
  }
  const [base, loaded] = [median(without), median(beside)];
  process.stdout.write(
    `p99 of 20 callers: ${base.toFixed(1)} ms, beside a slow one ${loaded.toFixed(1)} ms\n`,
  );
  expect(loaded).toBeLessThan(base * 2);
});

test('a caller that reads nothing stops the source within the window', async () => {
  spring.poured = 0;
  const slow = await openCaller('/endless');
  await once(slow, 'readable');
  await timePulls(20);
  const before = spring.poured;
  await timePulls(20);
  expect(spring.poured).toBe(before);
  // Kernel buffers of four sockets, a window of 512 KB, and a queue: nothing near what the source would give.
  expect(before).toBeLessThan(24 * 1024 * 1024);
  slow.destroy();
  await spring.quiet();
});

test('a caller that leaves in mid-stream stops the upstream read within a second', async () => {
  const caller = await openCaller('/endless');
  await once(caller, 'readable');
  const leftAt = performance.now();
  caller.destroy();
  await spring.quiet();
  expect(spring.closedAt - leftAt).toBeLessThan(1_000);
});

test('pulls that are started and abandoned leave nothing behind', async () => {
  const pulls = 2_000;
  for (let batch = 0; batch < pulls / 50; batch += 1) {
    const callers = await Promise.all(Array.from({ length: 50 }, () => openCaller('/endless')));
    if (batch % 2 === 0) await Promise.all(callers.map((caller) => once(caller, 'readable')));
    for (const caller of callers) caller.destroy();
  }
  await spring.quiet();
  const [relay, agent] = await Promise.all([settled('relay'), settled('agent')]);
  expect(relay).toMatchObject({ pullsInFlight: 0, links: 1 });
  expect(agent).toMatchObject({ pulls: { inFlight: 0 } });
  expect((await world.pull('web', '/quick')).status).toBe(200);
}, 120_000);

/** The counts of a process once no pull is in flight there. */
async function settled(name: 'relay' | 'agent'): Promise<Record<string, unknown>> {
  for (let look = 0; look < 200; look += 1) {
    const snapshot = await world[name].snapshot();
    const { pullsInFlight, pulls } = snapshot as {
      pullsInFlight?: number;
      pulls?: { inFlight?: number };
    };
    if ((pullsInFlight ?? pulls?.inFlight) === 0) return snapshot;
  }
  throw new Error(`${name} still has pulls in flight`);
}
