import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { systemClock } from '@pullwire/shared';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ServiceManager } from './service-manager.ts';

/** Plays systemd: prints what comes, a line a message. Node has no such socket; Python has. */
const receiver = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print('ready', flush=True)
while True:
    text = s.recv(4096).decode()
    if 'BARRIER' not in text: print(text.strip().replace('\\n', ' | '), flush=True)
`;

const missing = ['systemd-notify --version', 'python3 --version'].filter((command) => {
  try {
    execFileSync('/bin/sh', ['-c', command], { stdio: 'ignore' });
    return false;
  } catch {
    return true;
  }
});
const suite = missing.length === 0 ? '' : ` [skipped: no ${missing.join(', no ')}]`;

let folder: string;
let systemd: ChildProcess | undefined;
let manager: ServiceManager | undefined;
let logged: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pullwire-notify-'));
  logged = [];
});

afterEach(async () => {
  manager?.pause();
  systemd?.kill('SIGKILL');
  await rm(folder, { recursive: true });
});

function managerWith(env: Readonly<Record<string, string | undefined>>): ServiceManager {
  const log = pino({}, { write: (line: string) => logged.push(line) });
  manager = new ServiceManager({ env, clock: systemClock, log });
  return manager;
}

describe.skipIf(missing.length > 0)(`systemd${suite}`, () => {
  async function listen(): Promise<{ path: string; next(): Promise<string> }> {
    const path = join(folder, 'notify');
    const child = spawn('python3', ['-c', receiver, path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    systemd = child;
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const next = async (): Promise<string> => String((await lines.next()).value);
    expect(await next()).toBe('ready');
    return { path, next };
  }

  it('hears that the agent is up, that it lives, and that it stops', async () => {
    const { path, next } = await listen();
    const service = managerWith({
      NOTIFY_SOCKET: path,
      PATH: process.env['PATH'],
      WATCHDOG_USEC: '600000',
      WATCHDOG_PID: String(process.pid),
    });
    let asked = 0;
    service.start(() => {
      asked += 1;
      return `linked\n${asked}`;
    });
    expect(await next()).toBe('READY=1 | STATUS=linked 1');
    expect(await next()).toBe('WATCHDOG=1 | STATUS=linked 2');
    expect(await next()).toBe('WATCHDOG=1 | STATUS=linked 3');
    service.stop();
    expect(await next()).toBe('STOPPING=1 | STATUS=stopping');
    expect(logged).toEqual([]);
  });

  it('is not told of the life of another process', async () => {
    const { path, next } = await listen();
    const env = { NOTIFY_SOCKET: path, PATH: process.env['PATH'], WATCHDOG_USEC: '3000' };
    const service = managerWith({ ...env, WATCHDOG_PID: '1' });
    service.start(() => 'linked');
    expect(await next()).toBe('READY=1 | STATUS=linked');
    service.stop();
    expect(await next()).toBe('STOPPING=1 | STATUS=stopping');
  });
});

describe('without systemd', () => {
  it('nothing is said, and nothing is started', () => {
    managerWith({ PATH: '/nowhere' }).start(() => {
      throw new Error('nobody asks');
    });
    expect(logged).toEqual([]);
  });

  it('says once that systemd-notify is missing', async () => {
    const warned = Promise.withResolvers<string>();
    const log = pino({}, { write: (line: string) => warned.resolve(line) });
    const env = { NOTIFY_SOCKET: join(folder, 'none'), PATH: folder };
    manager = new ServiceManager({ env, clock: systemClock, log });
    manager.start(() => 'linked');
    expect(await warned.promise).toContain('is systemd-notify installed?');
  });
});
