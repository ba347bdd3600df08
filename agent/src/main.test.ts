import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { generateDeviceKey, writeDeviceKey } from './identity/device-key.ts';
import { FakeRelay } from './link/fake-relay.ts';

const main = new URL('./main.ts', import.meta.url).pathname;

let folder: string;
let relay: FakeRelay;
const running = new Set<Program>();

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pullwire-main-'));
  await writeDeviceKey(join(folder, 'device.key'), await generateDeviceKey());
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

  constructor(
    args: readonly string[],
    nodeArgs: readonly string[] = [],
    env: Readonly<Record<string, string>> = {},
  ) {
    this.child = spawn(process.execPath, [...nodeArgs, main, ...args], {
      cwd: folder,
      env: { ...process.env, ...env },
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

async function configure(text: string): Promise<void> {
  await writeFile(join(folder, 'agent.yaml'), `relay: ${relay.url}\ndevice: plant-7\n${text}`);
}

/** A command to its end. */
async function ended(
  ...args: string[]
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const program = new Program(args);
  const code = await program.exit;
  return { code, stdout: program.stdout, stderr: program.stderr };
}

const sources = `
sources:
  logs: { kind: file, root: /tmp, allow: [{ paths: ['/**'] }] }
`;

async function startAgent(): Promise<Program> {
  await configure(sources);
  return new Program(['run', '--config', 'agent.yaml', '--redial-base', '10ms']);
}

describe('the process', () => {
  it('links, drains on SIGTERM, and logs no token', async () => {
    const agent = await startAgent();
    const link = await relay.welcome();
    await agent.logged('link open');
    agent.child.kill('SIGTERM');
    await link.next('drain');
    expect(await link.next('bye')).toMatchObject({ code: 'drained' });
    expect(await agent.exit).toBe(0);
    expect(agent.stdout).toContain('"msg":"agent stopped"');
    expect(agent.stderr).toBe('');
    const { authorization = '' } = relay.requests[0]?.headers ?? {};
    expect(authorization).toMatch(/^Bearer ey/);
    expect(agent.stdout).not.toContain(authorization.slice('Bearer '.length));
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

  it('takes a valid file on SIGHUP, refuses an invalid one whole, and shows itself on SIGUSR2', async () => {
    const agent = await startAgent();
    const link = await relay.welcome();
    await agent.logged('link open');
    await configure(`${sources.replace('logs', 'reports')}maxPulls: 3\n`);
    agent.child.kill('SIGHUP');
    expect(await link.next('hello')).toMatchObject({ sources: [{ name: 'reports' }] });
    expect(await agent.logged('these settings')).toMatchObject({ settings: ['maxPulls'] });
    await configure(`${sources}maxPulls: 0\n`);
    agent.child.kill('SIGHUP');
    expect(await agent.logged('configuration refused')).toMatchObject({
      problems: [expect.stringMatching(/^maxPulls: expected/)],
    });
    agent.child.kill('SIGUSR2');
    expect(await agent.logged('snapshot')).toMatchObject({
      link: { state: 'open', counters: { dials: 1, links: 1 } },
      pulls: { inFlight: 0 },
      sources: ['reports'],
    });
  });

  it('tells its status to a command, in words and in JSON, and what is wrong by the exit code', async () => {
    const agent = await startAgent();
    await relay.welcome();
    await agent.logged('link open');
    const text = await ended('status', '--config', 'agent.yaml');
    expect(text.code).toBe(0);
    expect(text.stdout).toMatch(/^link +open since .* with fake-relay\/1$/m);
    expect(text.stdout).toMatch(/^source +logs: not asked since the start$/m);
    const json = await ended('status', '--config', 'agent.yaml', '--json');
    expect(JSON.parse(json.stdout)).toMatchObject({
      agent: { device: 'plant-7', pid: agent.child.pid },
      link: { linked: true, counters: { links: 1 } },
      key: { changing: false },
      sourceUse: [{ source: 'logs', pulls: 0 }],
    });
    expect(json.stdout).not.toContain('PRIVATE');
    await relay.stop();
    await agent.logged('no link');
    const unlinked = await ended('status', '--config', 'agent.yaml');
    expect(unlinked.code).toBe(150);
    expect(unlinked.stdout).toMatch(/^link +NOT LINKED since /m);
    agent.child.kill('SIGTERM');
    expect(await agent.exit).toBe(0);
    const gone = await ended('status', '--config', 'agent.yaml', '--json');
    expect(gone).toMatchObject({ code: 3, stderr: expect.stringContaining('no agent runs here') });
    expect(JSON.parse(gone.stdout)).toMatchObject({ running: false });
  });

  it('answers monitors on loopback where the configuration says so', async () => {
    await configure(`${sources}health: { listen: '127.0.0.1:0' }\n`);
    const agent = new Program(['run', '--config', 'agent.yaml', '--redial-base', '10ms']);
    const { port } = await agent.logged('monitors can ask here');
    const get = async (path: string) => {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`);
      return [answer.status, await answer.text()];
    };
    expect(await get('/health/live')).toEqual([200, '{"status":"live"}\n']);
    expect(await get('/health/ready')).toEqual([
      503,
      '{"status":"not-ready","why":"no link was opened yet"}\n',
    ]);
    await relay.welcome();
    await agent.logged('link open');
    expect(await get('/health/ready')).toEqual([200, '{"status":"ready"}\n']);
    expect((await get('/metrics'))[1]).toContain('\npullwire_agent_link_up 1\n');
    expect((await get('/status'))[0]).toBe(404);
  });

  it('says which port for monitors it cannot have', async () => {
    await configure(`${sources}health: { listen: '127.0.0.1:${relay.port}' }\n`);
    const { code, stderr } = await ended('run', '--config', 'agent.yaml');
    expect(code).toBe(2);
    expect(stderr).toContain(`cannot listen on 127.0.0.1:${relay.port} (another process listens`);
  });

  it('ends on SIGTERM while it waits to enrol', async () => {
    await configure(sources);
    await relay.stop();
    await rm(join(folder, 'device.key'));
    const env = { PULLWIRE_ENROLL_CODE: 'pwe_x' };
    const agent = new Program(['run', '--config', 'agent.yaml', '--redial-base', '1h'], [], env);
    await agent.logged('enrolment failed; it is tried again');
    agent.child.kill('SIGTERM');
    expect(await agent.exit).toBe(0);
    expect(agent.stdout).toContain('"signal":"SIGTERM","msg":"stopping"');
  });

  it('exits with 77 where the relay refuses the device for good', async () => {
    relay.refusals.push({
      status: 403,
      headers: { 'pullwire-answered-by': 'relay' },
      body: '{"detail":"the device was revoked"}',
    });
    const agent = await startAgent();
    expect(await agent.exit).toBe(77);
    expect(agent.stdout).toContain('the relay refuses this agent for good');
  });

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
