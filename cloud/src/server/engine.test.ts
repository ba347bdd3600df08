import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rename, rm, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { DynamoRegistry } from '../registry/dynamo-registry.ts';
import { type Engine, startEngine } from './engine.ts';
import { createEngineClient } from './engine-client.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function temporaryFolder(): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), 'pw-'));
  cleanups.push(() => rm(parent, { recursive: true }));
  return join(parent, 'data');
}

async function start(dataFolder: string, onTrouble = failOnTrouble): Promise<Engine> {
  const { signal } = new AbortController();
  const engine = await startEngine({ dataFolder, owner: 'server', signal, onTrouble });
  cleanups.push(() => engine.stop());
  return engine;
}

function failOnTrouble(error: Error): void {
  throw error;
}

/** The registry as the server has it, or as another process would have it by the socket. */
async function registryOf(from: Engine | string): Promise<DynamoRegistry> {
  const client = typeof from === 'string' ? createEngineClient(from) : from.createClient();
  cleanups.push(() => client.destroy());
  const registry = new DynamoRegistry({ client, name: 'pullwire', mayCreateTable: true });
  await registry.ensureSchema();
  return registry;
}

/** A body that dynalite does not expect: it throws, and its thread ends. */
function crash(socketPath: string): Promise<void> {
  return send(socketPath, 'null', 4);
}

/** A request whose body never comes to its end. */
function breakOff(socketPath: string): Promise<void> {
  return send(socketPath, '{', 100);
}

/** Sends a raw request; resolves when its connection has ended. */
async function send(socketPath: string, body: string, length: number): Promise<void> {
  const socket = connect(socketPath);
  await once(socket, 'connect');
  socket.write(
    'POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-amz-json-1.0\r\n' +
      'X-Amz-Target: DynamoDB_20120810.ListTables\r\nX-Amz-Date: 20261124T000000Z\r\n' +
      'Authorization: AWS4-HMAC-SHA256 Credential=x, SignedHeaders=host, Signature=x\r\n' +
      `Content-Length: ${length}\r\n\r\n${body}`,
  );
  if (body.length < length) socket.end();
  await once(socket.resume(), 'close');
}

/** Another process with an engine in the folder, after it has written `plant-7`. */
async function otherProcess(folder: string): Promise<ChildProcess> {
  const program = `
    import { startEngine } from ${JSON.stringify(new URL('./engine.ts', import.meta.url).href)};
    import { DynamoRegistry } from ${JSON.stringify(new URL('../registry/dynamo-registry.ts', import.meta.url).href)};
    const { signal } = new AbortController();
    const onTrouble = (error) => { throw error; };
    const engine = await startEngine({ dataFolder: ${JSON.stringify(folder)}, owner: 'server', signal, onTrouble });
    const registry = new DynamoRegistry({ client: engine.createClient(), name: 'pullwire', mayCreateTable: true });
    await registry.ensureSchema();
    await registry.addDevice({ device: 'plant-7', publicKey: 'k', labels: {}, createdAt: 1 });
    process.send('written');
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  cleanups.push(() => child.kill('SIGKILL'));
  await Promise.race([once(child, 'message'), once(child, 'exit').then(neverWrote)]);
  return child;
}

function neverWrote(): never {
  throw new Error('the other process ended before it wrote');
}

const device = (id: string) => ({ device: id, publicKey: 'k', labels: {}, createdAt: 1 });

describe('the embedded engine', () => {
  it('keeps what was written over a stop and a start', async () => {
    const folder = await temporaryFolder();
    const first = await start(folder);
    await (await registryOf(first)).addDevice(device('plant-7'));
    await first.stop();
    const second = await start(folder);
    expect((await (await registryOf(second)).device('plant-7'))?.record.device).toBe('plant-7');
  });

  it('listens at its socket only, in a folder that only its user can enter', async () => {
    const folder = await temporaryFolder();
    await start(folder);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect((await stat(join(folder, 'engine.sock'))).isSocket()).toBe(true);
    expect(await readFile(join(folder, 'version'), 'utf8')).toBe('1\n');
  });

  it('takes its socket away when it stops', async () => {
    const folder = await temporaryFolder();
    const engine = await start(folder);
    await engine.stop();
    expect(existsSync(join(folder, 'engine.sock'))).toBe(false);
  });

  it('refuses to start twice in one folder, and the first one works on', async () => {
    const folder = await temporaryFolder();
    const first = await start(folder);
    await expect(start(folder)).rejects.toMatchObject({
      code: 'in-use',
      message: expect.stringContaining(folder),
    });
    await (await registryOf(first)).addDevice(device('plant-7'));
  });

  it('tells writes of other processes before they get their answer, and not its own', async () => {
    const folder = await temporaryFolder();
    const engine = await start(folder);
    const own = await registryOf(engine);
    const seen: unknown[] = [];
    engine.onForeignWrite((partitions) => seen.push(partitions));
    await own.addDevice(device('plant-1'));
    expect(seen).toEqual([]);
    const foreign = await registryOf(join(folder, 'engine.sock'));
    await foreign.device('plant-1');
    expect(seen).toEqual([]);
    await foreign.addDevice(device('plant-2'));
    expect(seen).toEqual([['device#plant-2']]);
    expect((await own.device('plant-2'))?.record.device).toBe('plant-2');
  });

  it('is started again when its thread ends, and the same client works on', async () => {
    const folder = await temporaryFolder();
    const trouble = Promise.withResolvers<Error>();
    const engine = await start(folder, trouble.resolve);
    const registry = await registryOf(engine);
    await registry.addDevice(device('plant-7'));
    await crash(join(folder, 'engine.sock'));
    expect(await trouble.promise).toBeInstanceOf(Error);
    const read = () => registry.device('plant-7').catch(() => undefined);
    await expect.poll(read, { timeout: 10_000 }).toBeDefined();
  });

  it('ends when its files are removed, and goes on when the same folder is back', async () => {
    const folder = await temporaryFolder();
    const troubles: string[] = [];
    const trouble = Promise.withResolvers<void>();
    const engine = await start(folder, (error) => {
      troubles.push(error.message);
      trouble.resolve();
    });
    const registry = await registryOf(engine);
    await registry.addDevice(device('plant-7'));
    await rename(join(folder, 'engine'), join(folder, 'elsewhere'));
    await trouble.promise;
    expect(engine.trouble?.message).toMatch(/files in .*engine are gone/);
    await expect(registry.addDevice(device('plant-8'))).rejects.toMatchObject({
      code: 'unavailable',
    });
    expect(existsSync(join(folder, 'engine'))).toBe(false);
    await rename(join(folder, 'elsewhere'), join(folder, 'engine'));
    await expect.poll(() => engine.trouble, { timeout: 10_000 }).toBeUndefined();
    expect((await registry.device('plant-7'))?.record).toEqual(device('plant-7'));
    expect(troubles.length).toBe(1);
  });

  it('does not die of a request that breaks off', async () => {
    const folder = await temporaryFolder();
    const engine = await start(folder);
    await breakOff(join(folder, 'engine.sock'));
    await (await registryOf(engine)).addDevice(device('plant-7'));
  });

  it('refuses to start where another process works in the folder', async () => {
    const folder = await temporaryFolder();
    await otherProcess(folder);
    await expect(start(folder)).rejects.toMatchObject({ code: 'in-use' });
  });

  it('finds everything written after the process was killed, and replaces its socket', async () => {
    const folder = await temporaryFolder();
    const other = await otherProcess(folder);
    other.kill('SIGKILL');
    await once(other, 'exit');
    expect(existsSync(join(folder, 'engine.sock'))).toBe(true);
    const engine = await start(folder);
    const found = await (await registryOf(engine)).device('plant-7');
    expect(found?.record).toEqual(device('plant-7'));
  });

  it('does not start where its start was called off', async () => {
    const dataFolder = await temporaryFolder();
    const signal = AbortSignal.abort(new Error('called off'));
    const init = { dataFolder, owner: 'server', signal, onTrouble: failOnTrouble } as const;
    await expect(startEngine(init)).rejects.toThrow('called off');
  });
});
