import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const main = fileURLToPath(new URL('./main.ts', import.meta.url));

let folder: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pw-'));
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  rmSync(folder, { recursive: true });
});

function start(...args: string[]): ChildProcess {
  const child = spawn(process.execPath, [main, ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  return child;
}

/** Runs a command to its end. */
async function run(...args: string[]) {
  const child = start(...args);
  let [stdout, stderr] = ['', ''];
  child.stdout?.on('data', (text) => {
    stdout += text;
  });
  child.stderr?.on('data', (text) => {
    stderr += text;
  });
  const [code] = await once(child, 'close');
  return { code, stdout, stderr };
}

/** A server on a free port, once it listens. */
async function serve(...args: string[]) {
  const child = start('serve', '--listen', '127.0.0.1:0', ...args);
  const lines: Record<string, unknown>[] = [];
  const waiters = new Map<string, (line: Record<string, unknown>) => void>();
  if (child.stdout === null) throw new Error('there is no stdout');
  createInterface(child.stdout).on('line', (text) => {
    const line = JSON.parse(text);
    lines.push(line);
    waiters.get(line.msg)?.(line);
  });
  const said = (msg: string) =>
    new Promise<Record<string, unknown>>((resolve) => {
      waiters.set(msg, resolve);
    });
  const { url } = await said('listening');
  return { child, url: String(url), said, ended: once(child, 'exit') };
}

async function statusWith(url: string, key: string): Promise<number> {
  const answer = await fetch(`${url}/devices`, { headers: { 'Pullwire-Key': key } });
  await answer.arrayBuffer();
  return answer.status;
}

describe('pullwire-relay', { timeout: 60_000 }, () => {
  it('ends with 2 for a mistake of usage, and with 1 for others', async () => {
    expect((await run('bogus')).code).toBe(2);
    expect((await run('device', 'remove', 'plant-7')).code).toBe(1);
  });

  it('serve says which port for metrics it cannot have, and ends', async () => {
    const { url } = await serve('--metrics-listen', '127.0.0.1:0');
    const { host } = new URL(url);
    const second = [
      'serve',
      '--listen',
      '127.0.0.1:0',
      '--data',
      'other',
      '--metrics-listen',
      host,
    ];
    expect(await run(...second)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(
        `metrics.listen: cannot listen on ${host}; choose another port`,
      ),
    });
  });

  it('serve takes what commands write meanwhile, at once: a key works, and a revoked one does not', async () => {
    const { url } = await serve();
    const key = (await run('key', 'add', '--name', 'ops')).stdout.trim();
    expect(await statusWith(url, key)).toBe(200);
    expect(await run('key', 'revoke', key.slice(4, 10))).toMatchObject({ code: 0 });
    expect(await statusWith(url, key)).toBe(401);
  });

  it('serve refuses to start where another one runs, and the first one works on', async () => {
    const { url } = await serve();
    const second = await run('serve', '--listen', '127.0.0.1:0');
    expect(second.code).toBe(1);
    expect(second.stderr).toContain('a relay is running already in the data folder');
    const key = (await run('key', 'add', '--name', 'ops')).stdout.trim();
    expect(await statusWith(url, key)).toBe(200);
  });

  it('serve refuses an address that is taken, and says which', async () => {
    const { url } = await serve();
    const listen = url.replace('http://', '');
    const second = await run('serve', '--listen', listen, '--data', 'other');
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(listen);
  });

  it('serve starts again in the folder of one that was killed', async () => {
    const first = await serve();
    const key = (await run('key', 'add', '--name', 'ops')).stdout.trim();
    first.child.kill('SIGKILL');
    await first.ended;
    const second = await serve();
    expect(await statusWith(second.url, key)).toBe(200);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('serve stops at %s with exit code 0', async (signal) => {
    const { child, ended } = await serve();
    child.kill(signal);
    expect(await ended).toEqual([0, null]);
    expect((await run('key', 'list')).code).toBe(0);
  });

  it('serve tells its counts at SIGUSR2, and lives on at SIGHUP', async () => {
    const { child, said } = await serve();
    child.kill('SIGHUP');
    const snapshot = said('snapshot');
    child.kill('SIGUSR2');
    expect(await snapshot).toMatchObject({ links: 0, pullsInFlight: 0 });
  });

  it('lets commands at the same time wait for one another', async () => {
    const names = ['a', 'b', 'c'];
    const added = await Promise.all(names.map((name) => run('key', 'add', '--name', name)));
    expect(added.map(({ code }) => code)).toEqual([0, 0, 0]);
    const keys = JSON.parse((await run('key', 'list', '--json')).stdout);
    expect(keys.map((key: { name: string }) => key.name).sort()).toEqual(names);
  });
});
