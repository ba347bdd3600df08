import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Reading, type ReadingEntry, systemClock } from '@pullwire/shared';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Agent, createAgent } from './agent.ts';
import type { AgentConfig } from './config/agent-config.ts';
import { loadConfig } from './config/load-config.ts';
import { generateDeviceKey, writeDeviceKey } from './identity/device-key.ts';
import { FakeRelay, plainPull, type RelayEnd } from './link/fake-relay.ts';

/** The whole agent with its spool on a disk, against a relay whose part the test plays. */
let folder: string;
let relay: FakeRelay;
let agent: Agent;
let logged: string[];

const everySecond = { source: 'files', path: '/hello.txt', cron: '* * * * * *' };
const readings = { features: ['readings'] };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pullwire-readings-'));
  await writeDeviceKey(join(folder, 'device.key'), await generateDeviceKey());
  await writeFile(join(folder, 'hello.txt'), 'hello');
  relay = new FakeRelay();
  await relay.start();
  logged = [];
});

afterEach(async () => {
  await agent.stop();
  await relay.stop();
  await rm(folder, { recursive: true });
});

async function configOf(schedules: object, more: object = {}): Promise<AgentConfig> {
  const file = join(folder, 'agent.json');
  const sources = { files: { kind: 'file', root: folder, allow: [{ paths: ['/*.txt'] }] } };
  const redial = { baseMs: 10, capMs: 10 };
  const own = { relay: relay.url, device: 'plant-7', redial, sources, schedules, ...more };
  await writeFile(file, JSON.stringify(own));
  return loadConfig({ file, env: {}, flags: {}, workingFolder: folder });
}

async function start(config: AgentConfig): Promise<void> {
  let ids = 0;
  agent = createAgent(config, {
    clock: systemClock,
    random: () => 0,
    newId: () => `sixteen-letters-${++ids}`,
    env: {},
    readFile: () => {
      throw new Error('no file is named');
    },
    logger: pino({ level: 'info' }, { write: (line: string) => logged.push(line) }),
    onFinal: () => {},
  });
  await agent.start();
}

/** The next batch, which is said to be stored. */
async function storeNext(link: RelayEnd): Promise<Reading> {
  const message = await link.next('reading');
  link.send({ action: 'stored', batch: message.batch });
  return message;
}

/** Batches until there are so many readings. */
async function storeMany(link: RelayEnd, count: number): Promise<ReadingEntry[]> {
  const entries: ReadingEntry[] = [];
  while (entries.length < count) entries.push(...(await storeNext(link)).readings);
  return entries;
}

describe('what an agent collects by schedules', () => {
  it('reaches the relay, and leaves the spool when it is stored', async () => {
    await start(await configOf({ hello: everySecond }));
    const link = await relay.welcome(readings);
    const { readings: entries, body } = await storeNext(link);
    expect(entries[0]).toMatchObject({
      schedule: 'hello',
      source: 'files',
      status: 200,
      length: 5,
    });
    expect((entries[0]?.at ?? 1) % 1_000).toBe(0);
    expect(Buffer.from(body ?? []).toString()).toBe('hello');
    await storeNext(link);
    const { spool, sending, schedules } = agent.snapshot().readings;
    expect(spool).toMatchObject({ trouble: undefined, dropped: { full: 0, age: 0, unwritten: 0 } });
    expect(spool.taken).toBeGreaterThanOrEqual(2);
    expect(sending.sent).toBeGreaterThanOrEqual(1);
    expect(schedules['hello']).toMatchObject({ last: { outcome: 'done', status: 200 } });
    expect(schedules['hello']?.nextAt).toBeGreaterThan(Date.now() - 1_000);
  });

  it('is audited like a pull from outside', async () => {
    await start(await configOf({ hello: everySecond }));
    await storeNext(await relay.welcome(readings));
    const line = logged.find((text) => text.includes('"caller":"schedule:hello"'));
    expect(JSON.parse(line ?? '{}')).toMatchObject({
      outcome: 'done',
      path: '/hello.txt',
      bytes: 5,
    });
  });

  it('waits while there is no link, also over a restart, and comes once each', async () => {
    const config = await configOf({ hello: everySecond });
    relay.refusals.push(...Array.from({ length: 10_000 }, () => ({ status: 503 })));
    await start(config);
    await untilTaken(2);
    await agent.stop();
    const { taken } = agent.snapshot().readings.spool;
    relay.refusals.length = 0;
    await start(config);
    const entries = await storeMany(await relay.welcome(readings), taken + 1);
    const times = entries.map(({ at }) => at);
    expect(new Set(times).size).toBe(times.length);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  it('goes on the next link where the relay ended one without a word', async () => {
    await start(await configOf({ hello: everySecond }));
    const link = await relay.welcome(readings);
    const { readings: lost } = await link.next('reading');
    link.ws.terminate();
    const entries = await storeMany(await relay.welcome(readings), 1);
    expect(entries[0]).toEqual(lost[0]);
  });

  it('moves to the next link before the relay ends this one', async () => {
    await start(await configOf({ hello: everySecond }));
    const link = await relay.welcome(readings);
    await storeNext(link);
    link.send({ action: 'drain', withinMs: 2_000 });
    const next = await relay.welcome(readings);
    await storeMany(next, 2);
  });

  it('stays in the spool where the relay keeps no readings', async () => {
    await start(await configOf({ hello: everySecond }));
    const link = await relay.welcome();
    await untilTaken(2);
    const { pullId, replyTo } = plainPull;
    link.send({ ...plainPull, source: 'files', path: '/hello.txt' });
    expect(await link.next('head')).toMatchObject({ pullId, replyTo, status: 200 });
    expect(agent.snapshot().readings).toMatchObject({ sending: { batches: 0 } });
  });

  it('is another after a reload', async () => {
    await start(await configOf({ hello: everySecond }));
    const link = await relay.welcome(readings);
    await storeNext(link);
    await writeFile(join(folder, 'other.txt'), 'other');
    const other = { ...everySecond, path: '/other.txt' };
    expect(await agent.reload(await configOf({ other }))).toEqual([]);
    expect(Object.keys(agent.snapshot().readings.schedules)).toEqual(['other']);
    for (;;) {
      const message = await link.receive();
      if (message.action !== 'reading') continue;
      link.send({ action: 'stored', batch: message.batch });
      if (message.readings.some(({ schedule }) => schedule === 'other')) break;
    }
  });

  it('needs a restart where the spool is another', async () => {
    await start(await configOf({}));
    await relay.welcome(readings);
    const next = await configOf({}, { spool: { path: 'other.db' } });
    expect(await agent.reload(next)).toEqual(['spool']);
  });

  it('is no reason to fail where the spool cannot be opened: pulls go on', async () => {
    const config = await configOf({ hello: everySecond }, { spool: { path: 'none/spool.db' } });
    await start(config);
    const link = await relay.welcome(readings);
    link.send({ ...plainPull, source: 'files', path: '/hello.txt' });
    expect(await link.next('head')).toMatchObject({ status: 200 });
    expect(agent.snapshot().readings.spool.trouble).toContain('the folder must be there');
    expect(logged.join()).toContain('the spool cannot be used');
  });

  it('leaves no spool behind where there are no schedules', async () => {
    await start(await configOf({}));
    await relay.welcome(readings);
    await expect(rm(join(folder, 'spool.db'))).rejects.toThrow('ENOENT');
  });
});

/** Resolves when the spool has taken so many: it says so to nobody but its sender. */
async function untilTaken(count: number): Promise<void> {
  while (agent.snapshot().readings.spool.taken < count) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
