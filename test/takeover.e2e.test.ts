import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SteadyCaller } from './src/steady-caller.ts';
import { World } from './src/world.ts';

const long = process.env['PULLWIRE_LONG'] === '1';
const grace = 6_000;
const tickMs = 100;

/** `/x` answers at once; `/ticks/20` sends a line each 100 ms, twenty of them. */
const upstream: Server = createServer((request, response) => {
  const count = Number(/^\/ticks\/(\d+)$/.exec(request.url ?? '')?.[1] ?? 0);
  if (count === 0) return void response.end('quick');
  let sent = 0;
  const timer = setInterval(() => {
    sent += 1;
    response.write(`tick ${sent}\n`);
    if (sent < count) return;
    clearInterval(timer);
    response.end();
  }, tickMs);
  response.on('close', () => clearInterval(timer));
});
let world: World;

beforeAll(async () => {
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  world = await World.start({
    sources: { web: { kind: 'http', url, allow: [{ paths: ['/**'] }] } },
    relayConfig: { drainMs: grace, takeOverMs: 30_000 },
  });
});
afterAll(async () => {
  await world.stop();
  upstream.closeAllConnections();
  upstream.close();
});

test('under 200 pulls a second another relay takes over, and no pull that was accepted fails', async () => {
  const caller = new SteadyCaller({
    port: world.port,
    path: world.path('web', '/x'),
    key: world.callerKey,
    rate: 200,
  });
  caller.start();
  const rounds = long ? 10 : 2;
  for (let round = 0; round < rounds; round += 1) {
    const old = world.relay;
    const within = await world.pull('web', '/ticks/20');
    const beyond = await world.pull('web', '/ticks/6000');
    const next = world.startRelay();
    const term = performance.now();
    old.signal('SIGTERM');
    await next;
    const listeningMs = performance.now() - term;

    expect((await within.text()).trim().split('\n')).toHaveLength(20);
    await expect(beyond.text()).rejects.toThrow();
    expect(await old.ended).toBe(0);
    const tookMs = performance.now() - term;
    expect(tookMs).toBeLessThan(grace + 4_000);
    const cut = old.lines.filter(({ code }) => code === 'link-lost');
    expect(cut).toMatchObject([{ msg: 'pull' }]);
    process.stdout.write(
      `round ${round + 1}: the next one listened after ${listeningMs.toFixed(0)} ms,` +
        ` the old one ended after ${tookMs.toFixed(0)} ms\n`,
    );
  }
  await caller.stop();
  const { done, notAccepted, failures } = caller.counts;
  process.stdout.write(
    `${done} pulls done, ${failures.length} failed, ${notAccepted} dials that nobody accepted,` +
      ` the slowest took ${caller.slowestMs.toFixed(0)} ms\n`,
  );
  expect(failures).toEqual([]);
  expect(done).toBeGreaterThan(rounds * 200);
});
