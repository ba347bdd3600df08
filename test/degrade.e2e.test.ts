import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fakedClockFile } from './src/faketime.ts';
import { HandAgent } from './src/hand-agent.ts';
import { type CommandResult, command } from './src/program.ts';
import { noSmallDisk, SmallDisk } from './src/small-disk.ts';
import { TableProcess } from './src/table-process.ts';
import { createOrigin, type TinyOrigin } from './src/tiny-origin.ts';
import { World, type WorldOptions } from './src/world.ts';

let origin: TinyOrigin;
let world: World;
const cleanups: (() => unknown)[] = [];

beforeEach(async () => {
  origin = await createOrigin();
  cleanups.push(() => origin.stop());
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function startWorld(options: Omit<WorldOptions, 'sources'> = {}): Promise<void> {
  world = await World.start({
    agent: { redial: { baseMs: 100, capMs: 500 } },
    ...options,
    sources: { web: { kind: 'http', url: origin.url, allow: [{ paths: ['/**'] }] } },
  });
  cleanups.push(() => world.stop());
}

const pull = async (key = world.callerKey): Promise<number> => {
  const answer = await world.pull('web', '/x', { headers: { 'Pullwire-Key': key } });
  await answer.text();
  return answer.status;
};
const problemOf = async (answer: Response) => ({
  status: answer.status,
  retryAfter: answer.headers.get('retry-after'),
  ...((await answer.json()) as { readonly code?: string; readonly detail?: string }),
});
const ready = async () => (await (await world.get('/health/ready')).json()) as unknown;
const unavailable = {
  status: 503,
  code: 'registry-unavailable',
  retryAfter: expect.stringMatching(/^\d+$/),
};
const keyArgs = (name: string) => ['key', 'add', '--name', name, '--methods', '*'];
const linesWith = (text: string): number =>
  world.relay.lines.filter((line) => line.msg?.includes(text)).length;

/** A new link of the device by hand; resolves with the status of its handshake. */
async function dial(): Promise<number> {
  const token = await world.token();
  const agent = new HandAgent({ url: world.linkUrl, token });
  if (await agent.opened) return 101;
  return (await agent.closed).status;
}

/** The command of another device; a code that failed for the relay's sake is good still. */
function enroll(code: string): Promise<CommandResult> {
  const config = join(world.folder, 'enroll.json');
  writeFileSync(config, JSON.stringify({ sources: {} }));
  return command('agent', ['enroll', '--relay', world.url, '--code', code, '--config', config]);
}

/** Pulls until one is answered otherwise than by `status`; resolves with that. */
async function pullWhile(status: number): Promise<number> {
  for (;;) {
    const other = await pull();
    if (other !== status) return other;
  }
}

/** The relay's clock, as it tells it with every answer. */
async function relayTime(): Promise<number> {
  const answer = await world.get('/health/live');
  await answer.text();
  return Date.parse(answer.headers.get('date') ?? '');
}

/** Asks for the relay's counts until it has written everything. */
async function allWritten(): Promise<void> {
  for (;;) if ((await world.relay.snapshot())['registryWritesWaiting'] === 0) return;
}

const diskTitle = noSmallDisk === undefined ? '' : ` (skipped: ${noSmallDisk})`;

describe.skipIf(noSmallDisk !== undefined)(`a full disk${diskTitle}`, () => {
  test('live links go on, writes fail and say why, and all is made up for when there is room', async () => {
    const disk = SmallDisk.mount(32);
    cleanups.push(() => disk.unmount());
    await startWorld({ dataFolder: join(disk.path, 'data') });
    const unused = await world.addKey(['--name', 'unused', '--methods', '*']);
    const code = await world.operate(['enroll-code', '--device', 'plant-8']);
    disk.fill();

    // The last page of LevelDB's journal may have room for a few more.
    const failed = async (): Promise<string> => {
      for (;;) {
        try {
          await world.operate(keyArgs('more'));
        } catch (error) {
          return (error as Error).message;
        }
      }
    };
    expect(await failed()).toMatch(/ended with 1: .*disk of .*data\/engine is full: free at least/);
    expect(await pull()).toBe(200);
    expect(await pull(unused)).toBe(200);
    expect(await ready()).toMatchObject({ status: 'degraded', why: expect.stringMatching(/full/) });
    const refused = await enroll(code);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('registry')]);

    // Who is known is let in; what becomes of the link is written later.
    await world.agent.stop();
    await world.startAgent();
    expect(await pull()).toBe(200);
    expect(linesWith('in trouble')).toBe(1);

    const works = world.relay.line('the embedded registry works again');
    disk.free();
    await works;
    // A call that was under way may still fail, and the next one shows that the registry is back.
    await expect.poll(ready, { timeout: 15_000 }).toEqual({ status: 'ready' });
    expect(await pull(await world.addKey(['--name', 'after', '--methods', '*']))).toBe(200);
    expect((await enroll(code)).code).toBe(0);
    await allWritten();
  }, 60_000);
});

describe('a registry that is down', () => {
  let table: TableProcess;

  beforeEach(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'pullwire-table-'));
    cleanups.push(() => rmSync(folder, { recursive: true }));
    table = new TableProcess(folder);
    cleanups.push(() => table.kill());
    await table.start();
    const relayEnv = { AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'x' };
    Object.assign(process.env, relayEnv);
    await startWorld({ registryArgs: table.args, relayEnv });
  });

  test('a table that hangs: nobody waits long, what is known holds for 10 s, and all goes on after it', async () => {
    const unused = await world.addKey(['--name', 'unused', '--methods', '*']);
    expect(await pull()).toBe(200);
    const memory = world.relay.residentBytes;
    table.hang();
    const since = performance.now();
    const down = world.relay.line((line) => line.msg?.startsWith('the registry does not') === true);
    expect(
      await problemOf(await world.pull('web', '/x', { headers: { 'Pullwire-Key': unused } })),
    ).toMatchObject(unavailable);
    await down;
    const firstMs = performance.now() - since;
    expect(await pull()).toBe(200);

    const askedAt = performance.now();
    expect(await dial()).toBe(503);
    expect(await problemOf(await world.get(`/devices/${world.device}`))).toMatchObject(unavailable);
    const guesses = Array.from({ length: 500 }, () => pull(unused));
    expect(new Set(await Promise.all(guesses))).toEqual(new Set([503]));
    const nextMs = performance.now() - askedAt;
    expect(await ready()).toMatchObject({ status: 'degraded' });

    expect(await pullWhile(200)).toBe(503);
    const heldMs = performance.now() - since;
    expect(heldMs).toBeLessThan(10_500);
    expect((await world.relay.snapshot())['links']).toBe(1);
    const grownMb = (world.relay.residentBytes - memory) / 1_048_576;
    process.stdout.write(
      `a table that hangs: the first caller is told after ${Math.round(firstMs)} ms, 502 others, a command and a` +
        ` handshake within ${Math.round(nextMs)} ms; a known key holds for ${Math.round(heldMs)} ms; +${grownMb.toFixed(1)} MB\n`,
    );
    expect(firstMs).toBeLessThan(10_000);
    expect(grownMb).toBeLessThan(64);

    const back = world.relay.line('the registry answers again');
    table.goOn();
    await back;
    expect(await pull()).toBe(200);
    expect(await pull(unused)).toBe(200);
    expect(await dial()).toBe(101);
    expect(await ready()).toEqual({ status: 'ready' });
    expect(linesWith('the registry does not answer')).toBe(1);
  }, 60_000);

  test('a table that is gone, and comes back', async () => {
    const unused = await world.addKey(['--name', 'unused', '--methods', '*']);
    expect(await pull()).toBe(200);
    await table.kill();
    expect(await pull(unused)).toBe(503);
    expect(await pull()).toBe(200);
    expect(await problemOf(await world.get('/devices'))).toMatchObject(unavailable);
    expect(await dial()).toBe(503);
    const back = world.relay.line('the registry answers again');
    await table.start();
    await back;
    expect(await pull(unused)).toBe(200);
    expect(
      ((await (await world.get('/devices')).json()) as { devices: unknown[] }).devices,
    ).toMatchObject([{ device: world.device, presence: 'connected' }]);
  }, 60_000);
});

describe('the data folder of a running relay', () => {
  test('is removed: open links go on, nobody else is let in, and a restart begins with nothing', async () => {
    await startWorld();
    const unused = await world.addKey(['--name', 'unused', '--methods', '*']);
    expect(await pull()).toBe(200);
    const trouble = world.relay.line('the embedded registry is in trouble');
    rmSync(world.dataFolder, { recursive: true });
    const line = await trouble;
    expect(JSON.stringify(line)).toMatch(/engine are gone: .*restart the relay/);
    expect(await pull()).toBe(200);
    expect(
      await problemOf(await world.pull('web', '/x', { headers: { 'Pullwire-Key': unused } })),
    ).toMatchObject(unavailable);
    expect(await dial()).toBe(503);
    expect(await ready()).toMatchObject({ status: 'degraded', why: expect.stringMatching(/gone/) });
    expect(existsSync(world.dataFolder)).toBe(false);
    expect(linesWith('in trouble')).toBe(1);

    await world.relay.stop();
    await world.startRelay();
    expect(await pull()).toBe(401);
    expect(await dial()).toBe(401);
  }, 60_000);
});

describe('the engine', () => {
  test('dies: pulls go on, and it is back within seconds, without a restart', async () => {
    await startWorld();
    expect(await pull()).toBe(200);
    const trouble = world.relay.line('the embedded registry is in trouble');
    const works = world.relay.line('the embedded registry works again');
    await crashEngine(join(world.dataFolder, 'engine.sock'));
    await trouble;
    expect(await pull()).toBe(200);
    await works;
    const later = await world.addKey(['--name', 'later', '--methods', '*']);
    expect(await pull(later)).toBe(200);
    await world.operate(['key', 'revoke', ...(await idOf('later'))]);
    expect(await pull(later)).toBe(401);
  }, 60_000);
});

/** A body that dynalite does not expect: it throws, and its thread ends. */
async function crashEngine(socketPath: string): Promise<void> {
  const socket = connect(socketPath);
  await once(socket, 'connect');
  socket.write(
    'POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-amz-json-1.0\r\n' +
      'X-Amz-Target: DynamoDB_20120810.ListTables\r\nX-Amz-Date: 20261124T000000Z\r\n' +
      'Authorization: AWS4-HMAC-SHA256 Credential=x, SignedHeaders=host, Signature=x\r\n' +
      'Content-Length: 4\r\n\r\nnull',
  );
  await once(socket.resume(), 'close');
}

/** The id of a key by its name. */
async function idOf(name: string): Promise<string[]> {
  const keys = JSON.parse(await world.operate(['key', 'list', '--json'])) as {
    readonly id: string;
    readonly name: string;
  }[];
  return keys.filter((key) => key.name === name).map(({ id }) => id);
}

describe('the clock of the relay’s host', () => {
  test('is set back by five hours: agents link, the newest link serves, and no time lies in the future', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'pullwire-clock-')), 'offset');
    cleanups.push(() => rmSync(file));
    writeFileSync(file, '+0');
    await startWorld({ relayEnv: fakedClockFile(file) });
    expect(await pull()).toBe(200);
    writeFileSync(file, '-5h');
    while ((await relayTime()) > Date.now() - 4 * 3_600_000);
    const from = world.relay.lines.length;
    await world.agent.kill();
    await world.startAgent();
    expect(await pull()).toBe(200);
    const open = await world.relay.line('link open', from);
    expect(Date.now() - new Date(open['time'] as string).getTime()).toBeGreaterThan(4 * 3_600_000);
    const answer = await world.get(`/devices/${world.device}`);
    const shown = (await answer.json()) as {
      readonly presence: string;
      readonly since: string;
      readonly lastProofAt: string;
      readonly asOf: string;
    };
    expect(shown.presence).toBe('connected');
    expect(shown.since <= shown.asOf && shown.lastProofAt <= shown.asOf).toBe(true);
    await allWritten();
    // The links after it are newer than those before, whatever the clock says.
    await world.relay.kill();
    await world.startRelay();
    await world.agent.line('link open', world.agent.lines.length);
    expect(await pull()).toBe(200);
  }, 60_000);
});
