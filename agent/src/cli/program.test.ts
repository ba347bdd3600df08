import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeConfig } from '../config/config-setting.ts';
import { FakeRelay, plainWelcome } from '../link/fake-relay.ts';

const main = new URL('../main.ts', import.meta.url).pathname;

let folder: string;
let relay: FakeRelay;
const running = new Set<Program>();

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pullwire-cli-'));
  relay = new FakeRelay();
  await relay.start();
});

afterEach(async () => {
  for (const program of running) program.child.kill('SIGKILL');
  await Promise.all([...running].map(({ exit }) => exit));
  running.clear();
  await relay.stop();
  await rm(folder, { recursive: true });
});

/** The program as it ships, in a process of its own. */
class Program {
  readonly child: ChildProcess;
  readonly exit: Promise<number | null>;
  stdout = '';
  stderr = '';
  #grown = Promise.withResolvers<void>();

  constructor(args: readonly string[], nodeArgs: readonly string[] = []) {
    this.child = spawn(process.execPath, [...nodeArgs, main, ...args], {
      cwd: folder,
      env: { PATH: process.env['PATH'], SECRET_HEADER: 'hunter2' },
    });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      this.#grown.resolve();
      this.#grown = Promise.withResolvers();
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.exit = once(this.child, 'close').then(([code]) => code);
    running.add(this);
  }

  /** The first log line whose message begins so, now or later. */
  async logged(message: string): Promise<Record<string, unknown>> {
    for (;;) {
      const lines = this.stdout.split('\n').filter((line) => line.includes(`"msg":"${message}`));
      if (lines[0] !== undefined) return JSON.parse(lines[0]);
      await this.#grown.promise;
    }
  }
}

async function result(...args: string[]) {
  const program = new Program(args);
  const code = await program.exit;
  return { code, stdout: program.stdout, stderr: program.stderr };
}

async function configure(text = ''): Promise<void> {
  await writeFile(join(folder, 'agent.yaml'), `relay: ${relay.url}\ndevice: plant-7\n${text}`);
}

const sources = `
sources:
  logs: { kind: file, root: /tmp, allow: [{ paths: ['/**'] }] }
`;

async function startAgent(): Promise<Program> {
  await result('keygen');
  await configure(sources);
  return new Program(['run', '--config', 'agent.yaml', '--redial-base', '10ms']);
}

describe('pullwire-agent keygen', () => {
  it('writes a key that only its owner can read, and prints the public half alone', async () => {
    expect(await result('keygen', '--out', 'my.key')).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^ed25519:[A-Za-z0-9_-]{43}\n$/),
      stderr: '',
    });
    expect((await stat(join(folder, 'my.key'))).mode & 0o777).toBe(0o600);
  });

  it('never replaces a key', async () => {
    await result('keygen');
    const before = await readFile(join(folder, 'device.key'), 'utf8');
    expect(await result('keygen')).toEqual({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/^pullwire-agent: .*device\.key: exists already.*\n$/),
    });
    expect(await readFile(join(folder, 'device.key'), 'utf8')).toBe(before);
  });
});

describe('pullwire-agent token', () => {
  it('prints a token for a handshake', async () => {
    await result('keygen');
    await configure('sources: {}');
    const { code, stdout } = await result('token', '--config', 'agent.yaml', '--instance', 'b');
    expect(code).toBe(0);
    const { sub, inst, aud } = decodeJwt(stdout.trim());
    expect({ sub, inst, aud }).toEqual({
      sub: 'plant-7',
      inst: 'b',
      aud: `127.0.0.1:${relay.port}`,
    });
  });

  it('says how to make a key where there is none', async () => {
    await configure('sources: {}');
    expect(await result('token', '--config', 'agent.yaml')).toEqual({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('make a key with: pullwire-agent keygen --out'),
    });
  });
});

describe('pullwire-agent check', () => {
  it('shows who may be asked what, and no secret', async () => {
    await result('keygen');
    await configure(`
sources:
  metrics:
    kind: http
    url: http://127.0.0.1:9100
    headers: { authorization: { env: SECRET_HEADER } }
    allow: [{ methods: [GET], paths: [/metrics] }]
  idle: { kind: command, argv: [/usr/bin/uptime] }
`);
    const { code, stdout } = await result('check', '--config', 'agent.yaml');
    expect(code).toBe(0);
    expect(stdout).toContain('source    metrics: http 127.0.0.1:9100\n  allows  GET on /metrics\n');
    expect(stdout).toContain('source    idle: command /usr/bin/uptime\n  allows  nothing\n');
    expect(stdout).toMatch(/The configuration is valid\.\n$/);
    expect(stdout).not.toContain('hunter2');
  });

  it('reports every mistake, a line each', async () => {
    await configure('drainMs: soon\nmaxPulls: 0\n');
    const { code, stderr } = await result('check', '--config', 'agent.yaml', '--device', '-');
    expect(code).toBe(2);
    expect(
      stderr
        .trim()
        .split('\n')
        .map((line) => line.split(': expected')[0]),
    ).toEqual(['pullwire-agent: device', 'drainMs', 'maxPulls', 'sources']);
  });
});

describe('pullwire-agent', () => {
  it('has help that names each setting, and a version', async () => {
    const { code, stdout } = await result('--help');
    expect(code).toBe(0);
    for (const { key, env, flag, doc } of describeConfig()) {
      for (const text of [`  ${key}`, env ?? '', flag ?? '', doc]) expect(stdout).toContain(text);
    }
    expect((await result('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect((await result('run', '--help')).stdout).toContain('--redial-cap <value>');
  });

  it.each([[[]], [['fly']], [['run', '--fly']], [['keygen', 'a', 'b']]])(
    'ends %j with 2',
    async (args) => {
      const { code, stderr } = await result(...args);
      expect(code).toBe(2);
      expect(stderr).not.toBe('');
    },
  );

  it('refuses a Node that is too old in one sentence', async () => {
    const old = "Object.defineProperty(process, 'versions', { value: { node: '22.9.0' } })";
    const program = new Program(
      ['run'],
      ['--import', `data:text/javascript,${encodeURIComponent(old)}`],
    );
    expect(await program.exit).toBe(1);
    expect(program.stderr).toMatch(
      /^pullwire-agent needs Node 24 or newer; this is Node 22\.9\.0 .*\n$/,
    );
  });
});

describe('pullwire-agent run', () => {
  it('links, and drains on SIGTERM', async () => {
    const agent = await startAgent();
    const link = await relay.link();
    const hello = await link.next('hello');
    expect(hello).toMatchObject({ device: 'plant-7', sources: [{ name: 'logs', kind: 'file' }] });
    link.send(plainWelcome);
    await agent.logged('link open');
    agent.child.kill('SIGTERM');
    await link.next('drain');
    expect(await link.next('bye')).toMatchObject({ code: 'drained' });
    expect(await agent.exit).toBe(0);
    expect(agent.stdout).toContain('"msg":"agent stopped"');
    expect(agent.stderr).toBe('');
  });

  it('ends at once on a second signal', async () => {
    const agent = await startAgent();
    const link = await relay.welcome();
    await agent.logged('link open');
    // The relay does not answer the closing handshake, so that stopping takes a while.
    link.transport.pause();
    agent.child.kill('SIGINT');
    await agent.logged('stopping');
    agent.child.kill('SIGINT');
    expect(await agent.exit).toBe(1);
  });

  it('takes other sources on SIGHUP without a redial, and names what needs a restart', async () => {
    const agent = await startAgent();
    const link = await relay.welcome();
    await agent.logged('link open');
    await configure(`${sources.replace('logs', 'reports')}labels: { site: north }\nmaxPulls: 3\n`);
    agent.child.kill('SIGHUP');
    expect(await link.next('hello')).toMatchObject({
      sources: [{ name: 'reports' }],
      labels: { site: 'north' },
    });
    expect(await agent.logged('these settings need a restart')).toMatchObject({
      settings: ['maxPulls'],
    });
    expect(relay.requests).toHaveLength(1);
  });

  it('refuses an invalid file whole on SIGHUP', async () => {
    const agent = await startAgent();
    await relay.welcome();
    await agent.logged('link open');
    await configure(`${sources.replace('logs', 'reports')}maxPulls: 0\n`);
    agent.child.kill('SIGHUP');
    expect(await agent.logged('configuration refused')).toMatchObject({
      problems: [expect.stringMatching(/^maxPulls: expected/)],
    });
    agent.child.kill('SIGUSR2');
    expect(await agent.logged('snapshot')).toMatchObject({
      link: { state: 'open', waitingBytes: 0, counters: { links: 1 } },
      pulls: { inFlight: 0 },
      sources: ['logs'],
    });
  });

  it('exits with 77 where the relay refuses the device for good', async () => {
    relay.refusals.push({ status: 403, body: '{"detail":"the device was revoked"}' });
    const agent = await startAgent();
    expect(await agent.exit).toBe(77);
    expect(agent.stdout).toContain('the relay refuses this agent for good');
  });

  it('goes on without a relay, and logs no token', async () => {
    relay.refusals.push({ status: 503 });
    const agent = await startAgent();
    await relay.welcome();
    await agent.logged('link open');
    const { authorization = '' } = relay.requests[1]?.headers ?? {};
    expect(authorization).toMatch(/^Bearer ey/);
    expect(agent.stdout).not.toContain(authorization.slice('Bearer '.length));
  });

  it('does not start without its key', async () => {
    await configure(sources);
    const { code, stderr } = await result('run', '--config', 'agent.yaml');
    expect(code).toBe(2);
    expect(stderr).toMatch(/^pullwire-agent: .*device\.key: no such file; make a key with/);
  });
});
