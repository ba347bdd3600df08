import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as passed } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ConnectProxy } from './src/connect-proxy.ts';
import { EndlessOrigin } from './src/endless-origin.ts';
import { steppedClock } from './src/faketime.ts';
import { PathAgent } from './src/path-agent.ts';
import type { LogLine, Program } from './src/program.ts';
import { TcpRelay } from './src/tcp-relay.ts';
import { World } from './src/world.ts';

const long = process.env['PULLWIRE_LONG'] === '1';
/** How long a process is stopped: past two heartbeats at least. */
const stoppedMs = long ? 60_000 : 3_000;
const proxyIdleMs = long ? 60_000 : 2_000;
const heartbeat = { intervalMs: 1_000, timeoutMs: 1_000 };
const isNoLink = (line: LogLine): boolean => line.msg?.startsWith('no link') === true;

const origin = new EndlessOrigin();
let sources: Record<string, unknown>;
let world: World;
let agent: PathAgent;

beforeAll(async () => {
  const url = await origin.start();
  sources = { web: { kind: 'http', url, allow: [{ paths: ['/**'] }] } };
  world = await World.start({ sources, relayConfig: { heartbeat } });
  agent = await PathAgent.start(world, 'survivor', sources);
});
afterAll(async () => {
  await agent.stop();
  await world.stop();
  origin.stop();
});
beforeEach(async () => {
  expect(await agent.pull()).toBe('200 /short');
});

async function expectWhole(survivor: PathAgent): Promise<void> {
  expect(await survivor.pull()).toBe('200 /short');
  expect(await survivor.shown()).toMatchObject({
    presence: 'connected',
    links: [{ state: 'connected' }],
  });
}

/** A process that is stopped, and goes on when `meanwhile` has come true and the time is over. */
async function stopped(program: Program, meanwhile: Promise<unknown>): Promise<void> {
  program.signal('SIGSTOP');
  try {
    await Promise.all([passed(stoppedMs), meanwhile]);
  } finally {
    program.signal('SIGCONT');
  }
}

test('an agent that is stopped is offline within two heartbeats, and back when it goes on', async () => {
  const back = agent.program.line('link open');
  const lost = world.relay.line(
    ({ msg, device }) => msg === 'link closed' && device === 'survivor',
  );
  const offline = lost.then(() => agent.shown());
  await stopped(agent.program, offline);
  expect(await offline).toMatchObject({ presence: 'offline', why: 'idle' });
  await back;
  await expectWhole(agent);
});

test('a relay that is stopped loses its agents, and has them again when it goes on', async () => {
  const back = agent.program.line('link open');
  await stopped(world.relay, agent.program.line(isNoLink));
  await back;
  await expectWhole(agent);
});

test('an agent that was suspended for an hour, so that both of its clocks jump, is back at once', async () => {
  const file = join(world.folder, 'clock');
  writeFileSync(file, '+0');
  const sleeper = await PathAgent.start(world, 'sleeper', sources, {}, steppedClock(file));
  await expectWhole(sleeper);
  const lost = world.relay.line(({ msg, device }) => msg === 'link closed' && device === 'sleeper');
  const back = sleeper.program.line('link open');
  sleeper.program.signal('SIGSTOP');
  await lost;
  writeFileSync(file, '+1h');
  sleeper.program.signal('SIGCONT');
  const { time } = await back;
  expect(new Date(String(time)).getTime() - Date.now()).toBeGreaterThan(3_000_000);
  await expectWhole(sleeper);
  await sleeper.stop();
});

test.each(['closed', 'forgotten'] as const)(
  'a proxy by which tunnels are %s when they are idle for less than a heartbeat: the agent is back',
  { timeout: 60_000 + 6 * proxyIdleMs },
  async (how) => {
    const rare = { intervalMs: proxyIdleMs * 1.5, timeoutMs: 1_000 };
    const rarely = await World.start({ sources, relayConfig: { heartbeat: rare } });
    const proxy = new ConnectProxy();
    const tap = await TcpRelay.start(await proxy.start());
    tap.dropIdle({ ms: proxyIdleMs, how });
    const env = { http_proxy: `http://127.0.0.1:${tap.port}`, no_proxy: '' };
    const behind = await PathAgent.start(rarely, `behind-${how}`, sources, {}, env);
    await expectWhole(behind);
    const back = behind.program.line('link open');
    await behind.program.line(isNoLink);
    await back;
    await expectWhole(behind);
    expect(proxy.tunnels).toBeGreaterThan(1);
    await behind.stop();
    await rarely.stop();
    await tap.stop();
    proxy.stop();
  },
);

test('no process was restarted, and all gauges are right', async () => {
  await expectWhole(agent);
  expect(await world.relay.snapshot()).toMatchObject({ pullsInFlight: 0 });
});
