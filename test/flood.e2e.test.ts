import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { FloodOrders } from './src/flood-thread.ts';
import { createOrigin, type TinyOrigin } from './src/tiny-origin.ts';
import { World } from './src/world.ts';

const long = process.env['PULLWIRE_LONG'] === '1';
const rounds = long ? 9 : 5;

interface Counts {
  readonly frames: number;
  readonly links: number;
  readonly refused: number;
  readonly byes: number;
}

let origin: TinyOrigin;
let world: World;

beforeAll(async () => {
  origin = await createOrigin();
  const limits = { pulls: 64 };
  world = await World.start({
    sources: { web: { kind: 'http', url: origin.url, allow: [{ paths: ['/**'] }], limits } },
  });
  await world.addDevice('stolen', 'stolen.key');
});
afterAll(async () => {
  await world.stop();
  await origin.stop();
});

/** Milliseconds of pulls by ten callers, sorted. */
async function timePulls(count: number): Promise<number[]> {
  const times: number[] = [];
  const caller = async (): Promise<void> => {
    for (let at = 0; at < count; at += 1) {
      const startedAt = performance.now();
      const answer = await world.pull('web', '/x');
      expect(await answer.text()).toBe('GET /x');
      times.push(performance.now() - startedAt);
    }
  };
  await Promise.all(Array.from({ length: 10 }, caller));
  return times.sort((a, b) => a - b);
}

const p99 = (sorted: readonly number[]): number => sorted[Math.floor(sorted.length * 0.99)] ?? 0;
const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] ?? 0;

async function attacked(): Promise<{ p99: number; counts: Counts }> {
  const orders: FloodOrders = {
    port: world.port,
    tokens: Array.from({ length: 400 }, () => world.tokenOf('stolen', 'stolen.key')),
    device: 'stolen',
    slow: 500,
    framesPerMs: 20,
  };
  const worker = new Worker(new URL('./src/flood-thread.ts', import.meta.url), {
    workerData: orders,
  });
  await once(worker, 'online');
  const times = await timePulls(100);
  worker.postMessage('counts');
  const [counts] = (await once(worker, 'message')) as [Counts];
  await worker.terminate();
  return { p99: p99(times), counts };
}

test('a slow-loris of 500 connections and a stolen agent’s flood leave another device’s p99 within 3 times', async () => {
  await timePulls(50);
  const calm: number[] = [];
  const under: number[] = [];
  const sum = { frames: 0, links: 0, refused: 0, byes: 0 };
  for (let round = 0; round < rounds; round += 1) {
    calm.push(p99(await timePulls(100)));
    const { p99: worst, counts } = await attacked();
    under.push(worst);
    for (const name of ['frames', 'links', 'refused', 'byes'] as const) sum[name] += counts[name];
  }
  const [base, loaded] = [median(calm), median(under)];
  process.stdout.write(
    `p99 of ten callers: ${base.toFixed(1)} ms, under attack ${loaded.toFixed(1)} ms; ${JSON.stringify(sum)}\n`,
  );
  expect(sum.frames).toBeGreaterThan(500);
  // It was thrown out, told why, and not let in again at once.
  expect(sum.byes).toBeGreaterThan(0);
  expect(sum.refused).toBeGreaterThan(0);
  expect(loaded).toBeLessThan(base * 3);
});

test('the relay is as it was before', async () => {
  const { links, pullsInFlight } = await world.relay.snapshot();
  expect({ links, pullsInFlight }).toEqual({ links: 1, pullsInFlight: 0 });
});
