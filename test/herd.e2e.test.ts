import { afterAll, beforeAll, expect, test } from 'vitest';
import { LightFleet } from './src/light-fleet.ts';
import { createOrigin, type TinyOrigin } from './src/tiny-origin.ts';
import { World } from './src/world.ts';

const long = process.env['PULLWIRE_LONG'] === '1';
const size = long ? 5_000 : 500;

interface Snapshot {
  readonly eventLoop: { readonly maxMs: number; readonly p99Ms: number };
}

let origin: TinyOrigin;
let world: World;
let fleet: LightFleet;

beforeAll(async () => {
  origin = await createOrigin();
  world = await World.start({
    sources: { web: { kind: 'http', url: origin.url, allow: [{ paths: ['/**'] }] } },
  });
  await world.relay.stop();
  fleet = await LightFleet.enrol(size, world.dataFolder);
  await world.startRelay();
}, 300_000);
afterAll(async () => {
  await fleet.stop();
  await world.stop();
  await origin.stop();
});

/** Pulls from devices that are back, one after the other, until told to stop; resolves with their milliseconds, sorted. */
async function pullMeanwhile(going: () => boolean): Promise<number[]> {
  const times: number[] = [];
  while (going()) {
    const device = fleet.anyOpen();
    if (device === undefined) {
      await fleet.until((open) => open > 0);
      continue;
    }
    const startedAt = performance.now();
    const answer = await world.get(`/devices/${device}/sources/web/x`);
    expect(answer.status).toBe(200);
    expect(await answer.text()).toBe(device);
    times.push(performance.now() - startedAt);
  }
  return times.sort((a, b) => a - b);
}

const at = (sorted: readonly number[], part: number): number =>
  Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0);

test(`${size} agents that lose a restarted relay at once are back within a minute, and pulls go on`, async () => {
  fleet.start(world.linkUrl, 2_000);
  await fleet.until((open) => open === size);
  await world.relay.kill();
  const lostAt = performance.now();
  await fleet.until((open) => open === 0);
  await world.startRelay();

  let back = false;
  const pulls = pullMeanwhile(() => !back);
  await fleet.until((open) => open === size);
  const backMs = fleet.lastOpenedAt - lostAt;
  back = true;
  const times = await pulls;

  const { eventLoop } = (await world.relay.snapshot()) as unknown as Snapshot;
  process.stdout.write(
    `${size} agents back in ${(backMs / 1_000).toFixed(1)} s, dials sent away ${JSON.stringify(fleet.refused)};` +
      ` ${times.length} pulls meanwhile: p50 ${at(times, 0.5)} ms, p99 ${at(times, 0.99)} ms, worst ${at(times, 1)} ms;` +
      ` event loop late by ${eventLoop.maxMs} ms at most, p99 ${eventLoop.p99Ms} ms\n`,
  );
  expect(backMs).toBeLessThan(60_000);
  expect(times.length).toBeGreaterThan(10);
  expect(at(times, 0.99)).toBeLessThan(1_000);
  expect(eventLoop.maxMs).toBeGreaterThan(0);
  expect(eventLoop.maxMs).toBeLessThan(500);
}, 300_000);
