import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CloudWorld } from './src/cloud-world.ts';
import { HandAgent } from './src/hand-agent.ts';
import { handshakeToken } from './src/handshake-token.ts';
import { SteadyLoad } from './src/steady-load.ts';
import { createOrigin, type TinyOrigin } from './src/tiny-origin.ts';
import { World } from './src/world.ts';

/** What the test needs of a host. */
interface Rotating {
  readonly device: string;
  readonly keyFile: string;
  readonly linkUrl: string;
  pull(): Promise<Response>;
  rotate(): Promise<void>;
  /** Resolves when the agent has said this since its start. */
  said(msg: string): Promise<unknown>;
  /** The agent loses its link and dials again; resolves when it is back. */
  redial(): Promise<void>;
  publicKey(): Promise<string | undefined>;
  stop(): Promise<void>;
}

let origin: TinyOrigin;

const sources = () => ({
  web: { kind: 'http', url: origin.url, allow: [{ paths: ['/**'] }] },
});

async function oneBox(): Promise<Rotating> {
  const world = await World.start({ sources: sources(), agent: { redial: { baseMs: 200 } } });
  return {
    device: world.device,
    keyFile: join(world.folder, 'device.key'),
    linkUrl: world.linkUrl,
    pull: () => world.pull('web', '/x'),
    rotate: async () => {
      await world.operate(['device', 'rotate', world.device]);
    },
    said: (msg) => world.agent.line(msg, 0),
    redial: async () => {
      const from = world.agent.lines.length;
      await world.relay.stop();
      await world.startRelay();
      await world.agent.line('link open', from);
    },
    publicKey: async () => {
      const list = JSON.parse(await world.operate(['device', 'list', '--json'])) as {
        record: { publicKey: string };
      }[];
      return list[0]?.record.publicKey;
    },
    stop: () => world.stop(),
  };
}

async function strictGateway(): Promise<Rotating> {
  const world = await CloudWorld.start({ sources: sources() });
  const connections = () => world.aws.gateway.connectionsUrl;
  return {
    device: 'plant-1',
    keyFile: join(world.folder, 'plant-1.key'),
    linkUrl: world.aws.linkUrl,
    pull: () => world.pull('web', '/x'),
    rotate: async () => {
      await world.operate(['device', 'rotate', 'plant-1', '--connections-url', connections()]);
    },
    said: (msg) => world.agents[0]?.line(msg, 0) ?? Promise.reject(new Error('no agent')),
    redial: async () => {
      const agent = world.agents[0];
      const from = agent?.lines.length ?? 0;
      const device = await world.aws.registry.device('plant-1');
      for (const { connectionId } of device?.links ?? []) world.aws.gateway.cut(connectionId);
      await agent?.line('link open', from);
    },
    publicKey: async () => (await world.aws.registry.deviceRecord('plant-1'))?.publicKey,
    stop: () => world.stop(),
  };
}

beforeAll(async () => {
  origin = await createOrigin();
});

afterAll(async () => {
  await origin.stop();
});

describe.each([
  ['one box', oneBox],
  ['strict gateway', strictGateway],
] as const)('on %s', (_name, start) => {
  let host: Rotating;

  beforeAll(async () => {
    host = await start();
  });

  afterAll(async () => {
    await host?.stop();
  });

  test('a key is rotated under 50 pulls a second: none fails, and the old key is refused once the new one was used', async () => {
    const oldKeyFile = `${host.keyFile}.before`;
    copyFileSync(host.keyFile, oldKeyFile);
    const before = await host.publicKey();
    const load = new SteadyLoad(20, () => host.pull(), 'GET /x');
    await host.rotate();
    await host.said('the relay has noted the next key; the next dial uses it');
    // Noted, and not used yet: the link goes on, and the old key is good.
    expect(await host.publicKey()).toBe(before);
    await expect.poll(() => load.count, { timeout: 30_000 }).toBeGreaterThanOrEqual(100);
    expect((await load.end()).failures).toEqual([]);

    await host.redial();
    await host.said('the device has a new key');
    const after = await host.publicKey();
    expect(after).not.toBe(before);
    expect((await host.pull()).status).toBe(200);
    expect(readFileSync(host.keyFile, 'utf8')).not.toBe(readFileSync(oldKeyFile, 'utf8'));

    const audience = new URL(host.linkUrl).host;
    const dial = (keyFile: string, instance: string) =>
      new HandAgent({
        url: host.linkUrl,
        token: handshakeToken(keyFile, { device: host.device, audience, instance }),
      });
    const old = dial(oldKeyFile, 'thief');
    expect((await old.closed).status).toBe(401);
    const current = dial(host.keyFile, 'spare');
    expect(await current.opened).toBe(true);
    current.terminate();
  });
});
