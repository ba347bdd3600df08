import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeConfig } from '../config/config-setting.ts';
import { runProgram } from './program.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pullwire-cli-'));
});

afterEach(() => rm(folder, { recursive: true }));

async function result(...args: string[]) {
  let stdout = '';
  let stderr = '';
  const code = await runProgram({
    args,
    env: { SECRET_HEADER: 'hunter2' },
    workingFolder: folder,
    program: { node: process.execPath, script: import.meta.filename },
    uid: 1_000,
    writeOut: (text) => {
      stdout += text;
    },
    writeError: (text) => {
      stderr += text;
    },
    onSignal: () => {},
    exitNow: () => {},
  });
  return { code, stdout, stderr };
}

async function configure(text: string): Promise<void> {
  const relay = 'ws://127.0.0.1:8080';
  await writeFile(join(folder, 'agent.yaml'), `relay: ${relay}\ndevice: plant-7\n${text}\n`);
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
      aud: '127.0.0.1:8080',
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
schedules:
  metrics-1m: { source: metrics, path: /metrics, query: key=hunter2, cron: '* * * * *', timeZone: UTC }
`);
    const { code, stdout } = await result('check', '--config', 'agent.yaml');
    expect(code).toBe(0);
    expect(stdout).toContain('source    metrics: http 127.0.0.1:9100\n  allows  GET on /metrics\n');
    expect(stdout).toContain('source    idle: command /usr/bin/uptime\n  allows  nothing\n');
    expect(stdout).toContain('schedule  metrics-1m: * * * * * (UTC) GET /metrics?… of metrics\n');
    expect(stdout).toMatch(/spool {5}.*spool\.db: 67108864 bytes and 168 hours at most\n/);
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
    ).toEqual(['pullwire-agent: device', 'drainMs', 'maxPulls']);
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
});

describe('pullwire-agent run', () => {
  it('does not start without its key', async () => {
    await configure('sources: {}');
    expect(await result('run', '--config', 'agent.yaml', '--log-level', 'silent')).toEqual({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(
        /^pullwire-agent: .*device\.key: no such file; make a key with/,
      ),
    });
  });

  it('does not start where a source names a secret that is not there', async () => {
    await result('keygen');
    await configure(`
sources:
  metrics: { kind: http, url: 'http://127.0.0.1:9100', headers: { a: { env: NOT_SET } } }
`);
    const { code, stderr } = await result('run', '--config', 'agent.yaml', '--log-level', 'silent');
    expect(code).toBe(2);
    expect(stderr).toContain(
      'sources.metrics.headers.a: expected the environment variable NOT_SET',
    );
  });
});
