import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { World } from './src/world.ts';

/** An upstream that begins a reply at `/half` and says no more; `/never` says nothing at all. */
const upstream: Server = createServer((request, response) => {
  arrived?.();
  if (request.url === '/half') {
    response.writeHead(200, { 'Content-Type': 'text/plain' });
    response.write('half of it');
  } else if (request.url === '/quick') {
    response.end('quick');
  }
});
let arrived: (() => void) | undefined;
let world: World;

beforeAll(async () => {
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  world = await World.start({
    sources: { web: { kind: 'http', url, allow: [{ paths: ['/**'] }] } },
    agent: { redial: { baseMs: 200, capMs: 1_000 } },
  });
});
afterAll(async () => {
  await world.stop();
  upstream.closeAllConnections();
  upstream.close();
});

const requestArrived = (): Promise<void> =>
  new Promise((resolve) => {
    arrived = resolve;
  });

/** Two pulls in flight: one whose head has come, one that still waits for it. */
async function twoInFlight(): Promise<{ half: Response; never: Promise<Response> }> {
  const half = await world.pull('web', '/half');
  const there = requestArrived();
  const never = world.pull('web', '/never');
  never.catch(() => undefined);
  await there;
  return { half, never };
}

test('kill -9 of the agent: broken transfer and 502, device offline, then back by itself', async () => {
  const { half, never } = await twoInFlight();
  await world.agent.kill();
  await expect(half.text()).rejects.toThrow();
  const answer = await never;
  expect(answer.status).toBe(502);
  expect(await answer.json()).toMatchObject({ code: 'link-lost', retrySafe: true });

  const offline = await world.pull('web', '/quick');
  expect(offline.status).toBe(503);
  expect(offline.headers.get('retry-after')).toMatch(/^\d+$/);
  expect(await offline.json()).toMatchObject({ code: 'device-offline', why: 'link-lost' });
  const shown = (await (await world.get('/devices/plant-7')).json()) as Record<string, unknown>;
  expect(shown).toMatchObject({ presence: 'offline', why: 'link-lost' });

  await world.startAgent();
  expect(await (await world.pull('web', '/quick')).text()).toBe('quick');
});

test('kill -9 of the relay: callers notice, the agent is back within its back-off, devices are still listed', async () => {
  const { half, never } = await twoInFlight();
  await world.relay.kill();
  await expect(half.text()).rejects.toThrow();
  await expect(never).rejects.toThrow();
  const from = world.agent.lines.length;
  await world.startRelay();
  await world.agent.line('link open', from);
  expect(await (await world.pull('web', '/quick')).text()).toBe('quick');
  const { devices } = (await (await world.get('/devices')).json()) as {
    devices: Record<string, unknown>[];
  };
  expect(devices).toMatchObject([{ device: 'plant-7', presence: 'connected' }]);
});

test('a relay that comes back without its agent still lists it, as offline', async () => {
  await world.agent.kill();
  await world.relay.kill();
  await world.startRelay();
  const { devices } = (await (await world.get('/devices')).json()) as {
    devices: Record<string, unknown>[];
  };
  expect(devices).toMatchObject([{ device: 'plant-7', presence: 'offline' }]);
  await world.startAgent();
});

test('SIGTERM of the agent finishes what is under way and says goodbye', async () => {
  const answer = world.pull('web', '/quick');
  expect((await answer).status).toBe(200);
  expect(await world.agent.stop()).toBe(0);
  const shown = (await (await world.get('/devices/plant-7')).json()) as Record<string, unknown>;
  expect(shown).toMatchObject({ presence: 'offline', why: 'drained' });
  await world.startAgent();
});

test('SIGTERM of the relay ends it cleanly, and the agent hears why', async () => {
  const from = world.agent.lines.length;
  expect(await world.relay.stop()).toBe(0);
  await world.agent.line((line) => line.text.includes('shutdown'), from);
  await world.startRelay();
  await world.agent.line('link open', from);
});
