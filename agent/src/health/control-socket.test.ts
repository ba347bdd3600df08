import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from '@pullwire/shared/local-server';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ControlSocket, longestSocketPath } from './control-socket.ts';
import { askSocket } from './socket-question.ts';

let folder: string;
let path: string;
let logged: string[];
const sockets: ControlSocket[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pullwire-control-'));
  path = join(folder, 'a.sock');
  logged = [];
});

afterEach(async () => {
  await Promise.all(sockets.splice(0).map((socket) => socket.stop()));
  await rm(folder, { recursive: true });
});

async function open(name: string, at = path): Promise<ControlSocket> {
  const log = pino({}, { write: (line: string) => logged.push(line) });
  const socket = new ControlSocket(at, { '/status': () => json(200, { name }) }, log);
  sockets.push(socket);
  await socket.start();
  return socket;
}

describe('the control socket', () => {
  it('answers its owner, and is gone when the agent is', async () => {
    const socket = await open('a');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await askSocket(path, '/status')).toEqual({ name: 'a' });
    await socket.stop();
    await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(logged).toEqual([]);
  });

  it('takes the place of one that a killed process has left', async () => {
    const listen = `require('net').createServer().listen(${JSON.stringify(path)}, () => console.log('up'))`;
    const before = spawn(process.execPath, ['-e', listen]);
    await once(before.stdout, 'data');
    before.kill('SIGKILL');
    await once(before, 'close');
    await stat(path);
    await open('b');
    expect(await askSocket(path, '/status')).toEqual({ name: 'b' });
  });

  it('leaves the socket of an agent that runs alone, and says so', async () => {
    await open('a');
    const second = await open('b');
    expect(logged.join()).toContain('another agent with this key and instance runs here');
    await second.stop();
    expect(await askSocket(path, '/status')).toEqual({ name: 'a' });
  });

  it('leaves a file of that name alone', async () => {
    await writeFile(path, 'mine');
    await open('a');
    expect(logged.join()).toContain('something else has this name');
    expect(await readFile(path, 'utf8')).toBe('mine');
  });

  it('goes without where the path is too long, or the folder is not there', async () => {
    await open('a', join(folder, 'x'.repeat(longestSocketPath)));
    await open('a', join(folder, 'nowhere', 'a.sock'));
    expect(logged.map((line) => JSON.parse(line).msg)).toEqual([
      'pullwire-agent status cannot ask this agent',
      'pullwire-agent status cannot ask this agent',
    ]);
    expect(logged[0]).toContain('set controlSocket to a shorter one');
    expect(logged[1]).toMatch(/EACCES|ENOENT/);
  });
});
