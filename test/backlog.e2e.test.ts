import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fillSpool } from './src/full-spool.ts';
import { HeldOrigin } from './src/held-origin.ts';
import { type LoadOutcome, SteadyLoad } from './src/steady-load.ts';
import { World } from './src/world.ts';

const long = process.env['PULLWIRE_LONG'] === '1';
const rounds = Number(process.env['PULLWIRE_ROUNDS'] ?? (long ? 5 : 1));
const backlog = Number(process.env['PULLWIRE_BACKLOG'] ?? (long ? 50_000 : 500));
/** Pulls are timed without a backlog for so long at most (milliseconds). */
const mostQuietMs = 120_000;
/** Pulls begin so far apart. */
const everyMs = 20;

let world: World;
let origin: HeldOrigin;

beforeAll(async () => {
  origin = await new HeldOrigin('a').start();
  world = await World.start({ sources: {} });
  await world.agent.stop();
  world.writeAgentConfig(origin.sources, { spool: { path: `${world.folder}/spool.db` } });
});

afterAll(async () => {
  await world?.stop();
  origin?.stop();
});

/** What the agent still has to send. */
async function depth(): Promise<number> {
  const { readings } = await world.agent.snapshot();
  return (readings as { spool: { depth: number } }).spool.depth;
}

async function pullsWhile(work: () => Promise<unknown>): Promise<LoadOutcome> {
  const load = new SteadyLoad(everyMs, () => world.pull('web', '/x'), 'a');
  await work();
  return load.end();
}

/** The backlog is there from the agent's start on; resolves when all of it is stored. Nobody announces that, and asking takes time of the agent's. */
async function drained(): Promise<void> {
  while ((await depth()) === 0) await pause(10); // its spool is being opened
  while ((await depth()) > 0) await pause(500);
}

const part = (times: readonly number[], of: number): number =>
  times[Math.floor(times.length * of)] as number;

const words = ({ count, times }: LoadOutcome): string =>
  `${count} pulls p50 ${part(times, 0.5).toFixed(1)} p95 ${part(times, 0.95).toFixed(1)} p99 ${part(times, 0.99).toFixed(1)} ms`;

/** How many readings of the backlog the relay has. */
async function stored(): Promise<number> {
  let count = 0;
  let search: string | undefined = '?source=own&path=/before&limit=1000';
  while (search !== undefined) {
    const answer = await world.get(`/devices/${world.device}/readings${search}`);
    count += ((await answer.json()) as { readings: unknown[] }).readings.length;
    search = /^<(\?[^>]+)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1];
  }
  return count;
}

test(`a backlog of ${backlog} readings drains while pulls run, and they hardly notice; rounds: ${rounds}`, {
  timeout: rounds * 1_200_000,
}, async () => {
  const ratios: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    await fillSpool(`${world.folder}/spool.db`, backlog, round);
    await world.startAgent();
    const began = performance.now();
    const during = await pullsWhile(drained);
    const ms = performance.now() - began;
    // As long or long enough, and from a new process on as well: V8 compiles for seconds.
    await world.agent.stop();
    await world.startAgent();
    const without = await pullsWhile(() => pause(Math.min(ms, mostQuietMs)));
    await world.agent.stop();
    for (const { failures } of [during, without]) expect(failures).toEqual([]);
    expect(await stored()).toBe(round * backlog);
    ratios.push(part(during.times, 0.95) / part(without.times, 0.95));
    console.info(
      `${backlog} readings in ${(ms / 1_000).toFixed(0)} s: ${words(during)}; without: ${words(without)}`,
    );
  }
  const median = part(
    ratios.sort((one, other) => one - other),
    0.5,
  );
  console.info(`p95 with the backlog is ${median.toFixed(2)} times that without it (median)`);
  if (long) expect(median).toBeLessThanOrEqual(1.5);
});
