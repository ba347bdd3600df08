import { afterAll, beforeAll, expect, test } from 'vitest';
import { EndlessOrigin } from './src/endless-origin.ts';
import { PathAgent } from './src/path-agent.ts';
import type { LogLine } from './src/program.ts';
import { World } from './src/world.ts';

const long = process.env['PULLWIRE_LONG'] === '1';
/** How long a slow transfer goes on: many heartbeats. */
const slowPulls = long ? 20 : 2;

const heartbeat = { intervalMs: 1_000, timeoutMs: 1_000 };
const boundMs = heartbeat.intervalMs + heartbeat.timeoutMs + 1_000;
const slow = long ? 20_000 : 60_000;

const isNoLink = (line: LogLine): boolean => line.msg?.startsWith('no link') === true;
const timeOf = (line: LogLine): number => new Date(String(line['time'])).getTime();

const origin = new EndlessOrigin();
let sources: Readonly<Record<string, unknown>>;
let world: World;
const agents: PathAgent[] = [];

beforeAll(async () => {
  const url = await origin.start();
  const allow = [{ paths: ['/**'], methods: ['GET', 'PUT'] }];
  sources = { web: { kind: 'http', url, allow, limits: { timeoutMs: 60_000 } } };
  world = await World.start({ sources, relayConfig: { heartbeat } });
});
afterAll(async () => {
  for (const agent of agents) await agent.stop();
  await world.stop();
  origin.stop();
});

async function begin(name: string, load: 'download' | 'upload') {
  const agent = await PathAgent.start(world, name, sources);
  agents.push(agent);
  const path = `/${name}`;
  const transfer =
    load === 'download'
      ? await agent.download()
      : await agent.upload(path, () => origin.taken(path));
  return { agent, transfer, loaded: load === 'download' ? agent.path.up : agent.path.down };
}

for (const load of ['download', 'upload'] as const) {
  test.concurrent(`${load}: a side that reads no more counts as dead within 2 heartbeats`, async () => {
    const { agent, transfer, loaded } = await begin(`stalled-${load}`, load);
    const { device } = agent;
    const atAgent = agent.program.line(isNoLink);
    const atRelay = world.relay.line(
      (line) => line.msg === 'link closed' && line['device'] === device,
    );
    const back = agent.program.line('link open');
    const from = Date.now();
    loaded.stall();
    const sender = load === 'download' ? atAgent : atRelay;
    const noticedMs = timeOf(await sender) - from;
    process.stdout.write(`${load}: noticed within ${noticedMs} ms\n`);
    expect(noticedMs).toBeLessThan(boundMs);
    agent.path.forget();
    loaded.restore();
    await Promise.all([atAgent, atRelay, back]);
    expect(await transfer.ended).toBeOneOf(['broken', 502]);
    expect(await agent.pull()).toBe('200 /short');
  });

  test.concurrent(`${load}: one that still moves is alive, and short pulls are answered beside the data; pulls: ${slowPulls}`, {
    timeout: 60_000 + slowPulls * 60_000,
  }, async () => {
    const { agent, transfer, loaded } = await begin(`slow-${load}`, load);
    const from = agent.program.lines.length;
    loaded.throttle(slow);
    const took: number[] = [];
    for (let at = 0; at < slowPulls; at += 1) {
      const began = performance.now();
      expect(await agent.pull()).toBe('200 /short');
      took.push(Math.round(performance.now() - began));
    }
    process.stdout.write(`${load}: pulls beside it took ${took} ms\n`);
    expect(agent.program.lines.slice(from).filter(isNoLink)).toEqual([]);
    expect(await agent.shown()).toMatchObject({ links: [{ state: 'connected' }] });
    transfer.leave();
    await transfer.ended;
  });
}
