import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '@pullwire/shared';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AwsWorld } from '../cloud/test/aws/aws-world.ts';
import { HandAgent } from './src/hand-agent.ts';
import { HandDevice } from './src/hand-device.ts';
import { readingFrame, type SpooledReading, storedOf } from './src/hand-spool.ts';
import { command, type LogLine } from './src/program.ts';
import { World } from './src/world.ts';

/** A device that collects more than its relay stores of one device in a day. */
describe('an agent whose device is over its quota, on one box', () => {
  const bodyBytes = 2 * 1_048_576;
  /** Mutable: the relay reads it anew when it starts again. */
  const relayConfig = {
    readings: { bytesPerDay: 16 * 1_048_576 },
    metrics: { listen: '127.0.0.1:0' },
  };
  let world: World;
  let upstream: Server;
  let said = 0;

  beforeEach(async () => {
    upstream = createServer((_request, response) => {
      said += 1;
      response.end(`${said};`.padEnd(bodyBytes, '.'));
    });
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
    const sources = { numbers: { kind: 'http', url, allow: [{ paths: ['/**'] }] } };
    const collect = { source: 'numbers', path: '/n', cron: '* * * * * *', maxBytes: '8MiB' };
    const agent = {
      schedules: { collect },
      spool: { maxBytes: '512MiB' },
      redial: { baseMs: 100, capMs: 300 },
    };
    world = await World.start({ sources, agent, relayConfig });
  });

  afterEach(async () => {
    await world?.stop();
    upstream.close();
    upstream.closeAllConnections();
  });

  interface Readings {
    readonly spool: { depth: number; taken: number; dropped: { full: number; age: number } };
    readonly sending: { sent: number; refused: number; held: number; hold?: { code: string } };
  }

  /** The first state from now on that is as asked. */
  async function state(isSo: (readings: Readings) => boolean): Promise<Readings> {
    for (;;) {
      const from = world.agent.lines.length;
      world.agent.signal('SIGUSR2');
      const line: LogLine = await world.agent.line('snapshot', from);
      const readings = line['readings'] as Readings;
      if (isSo(readings)) return readings;
      // A line a second comes by itself: that of the schedule's pull.
      await world.agent.line('pull', world.agent.lines.length);
    }
  }

  async function storedNumbers(): Promise<number[]> {
    const numbers: number[] = [];
    let next: string | undefined = '?limit=3';
    while (next !== undefined) {
      const answer = await world.get(`/devices/${world.device}/readings${next}`);
      const page = (await answer.json()) as { readings: { body: string }[]; next?: string };
      for (const { body } of page.readings) {
        expect(body).toHaveLength(bodyBytes);
        numbers.push(Number.parseInt(body, 10));
      }
      next = page.next && `?limit=3&cursor=${page.next}`;
    }
    return numbers;
  }

  test('keeps on collecting and answers pulls, and brings all of it once when it may', async () => {
    await world.agent.line(
      'the relay holds readings back: they wait in the spool and are sent later; pulls go on',
      0,
    );
    const held = await state(({ spool, sending }) => spool.depth >= 3 && sending.held > 0);
    expect(held.sending).toMatchObject({ refused: 0, hold: { code: 'quota-full' } });
    // 7 of 2 MiB: what a reading takes besides its body counts as well.
    expect(held.sending.sent).toBe(7);
    expect((await world.pull('numbers', '/now')).status).toBe(200);
    const status = await command('agent', ['status', '--config', world.agentConfigFile]);
    expect(status.stdout).toMatch(/7 stored .*HELD BACK by the relay until .*16 MiB of readings/);
    const { port } = await world.relay.line('metrics can be read here', 0);
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    expect(metrics).toMatch(/^pullwire_relay_reading_batches_total\{outcome="held"\} [1-9]/m);
    const lines = () => world.relay.lines.filter(({ msg }) => msg?.startsWith('readings held'));
    expect(lines().map((line) => line['device'])).toEqual([world.device]);
    expect(await storedNumbers()).toHaveLength(7);

    relayConfig.readings.bytesPerDay = 2 ** 40;
    await world.relay.stop();
    await world.startRelay();
    const after = await state(({ spool, sending }) => spool.depth === 0 && sending.sent > 10);
    expect(after.spool.dropped).toMatchObject({ full: 0, age: 0 });
    expect(after.sending.refused).toBe(0);
    expect(after.sending).not.toHaveProperty('hold');
    const numbers = await storedNumbers();
    expect(new Set(numbers).size).toBe(numbers.length);
    expect(numbers.length).toBeGreaterThanOrEqual(after.sending.sent);
  }, 120_000);
});

describe('a device over its quota, on the strict gateway', () => {
  let aws: AwsWorld;
  let key: string;
  let device: HandDevice;
  let aheadMs = 0;

  beforeEach(async () => {
    aheadMs = 0;
    const clock = { ...systemClock, wall: () => systemClock.wall() + aheadMs };
    aws = await AwsWorld.start({ seed: 11, clock, readingBytesPerDay: 40_000 });
    key = await aws.addKey();
    device = await HandDevice.add(aws, 'plant-7');
  });

  afterEach(() => aws?.stop());

  async function link(features: readonly string[]): Promise<HandAgent> {
    const agent = new HandAgent({ url: aws.linkUrl, token: await device.token() });
    await agent.opened;
    agent.sendHello('plant-7', { features: [...features] });
    await agent.next('welcome');
    return agent;
  }

  const began = Date.now() - 60_000;
  const reading = (at: number): SpooledReading => ({
    ...{ schedule: 'often', at: began + at, path: '/often', body: Buffer.alloc(7_000, 'x') },
  });

  async function stored(): Promise<number> {
    const answer = await fetch(`${aws.url}/devices/plant-7/readings`, {
      headers: { 'Pullwire-Key': key },
    });
    return ((await answer.json()) as { readings: unknown[] }).readings.length;
  }

  test('is told to wait, and is taken again when some of it is forgiven', async () => {
    const agent = await link(['hold', 'readings']);
    for (let batch = 1; batch <= 5; batch += 1) {
      agent.send(readingFrame(batch, [reading(batch)]));
      expect(await storedOf(agent, batch)).toEqual({ action: 'stored', batch });
    }
    agent.send(readingFrame(6, [reading(6)]));
    const held = await agent.next('held');
    expect(held).toMatchObject({ action: 'held', batch: 6, code: 'quota-full' });
    expect(held['retryAfterMs']).toBeGreaterThanOrEqual(900_000);
    expect(await stored()).toBe(5);
    aheadMs += Number(held['retryAfterMs']) + 1;
    agent.send(readingFrame(7, [reading(6)]));
    expect(await storedOf(agent, 7)).toEqual({ action: 'stored', batch: 7 });
    expect(await stored()).toBe(6);
    agent.terminate();
  });

  test('hears nothing where its agent does not know the word, and keeps what it has', async () => {
    const agent = await link(['readings']);
    agent.send(readingFrame(1, [0, 1, 2].map(reading)));
    await agent.next('stored');
    agent.send(readingFrame(2, [3, 4, 5].map(reading)));
    const msg =
      'readings held back: the device has as much stored as it may in a day; its agent keeps the rest and sends it later';
    await aws.logged(msg);
    expect(aws.log.find((line) => line['msg'] === msg)).toMatchObject({
      ...{ device: 'plant-7', bytesPerDay: 40_000 },
    });
    await aws.gateway.settled();
    expect(await stored()).toBe(3);
    expect(agent.received.map(({ action }) => action)).not.toContain('held');
    agent.terminate();
  });
});
