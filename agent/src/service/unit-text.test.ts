import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseSources } from '../source/source-config.ts';
import { needsOf } from './service-needs.ts';
import { type UnitOptions, unitText, unitWord } from './unit-text.ts';

const options: UnitOptions = {
  name: 'pullwire-agent',
  version: '0.1.0',
  node: process.execPath,
  script: '/opt/pullwire/pullwire-agent.mjs',
  configFile: '/etc/pullwire/agent.yaml',
  drainMs: 10_000,
  memory: '512M',
  needs: { homes: false, tmp: false, commands: false },
};

function hasAnalyze(): boolean {
  try {
    execFileSync('systemd-analyze', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
const skip = hasAnalyze() ? '' : ' [skipped: no systemd-analyze]';

describe('the unit', () => {
  it('starts what it is told to, by absolute paths', () => {
    expect(unitText(options)).toContain(
      `\nExecStart=${process.execPath} /opt/pullwire/pullwire-agent.mjs run --config /etc/pullwire/agent.yaml\n`,
    );
  });

  it('takes everything in a path literally', () => {
    expect(['/a/b', '/a b', '/a%n', '/a$HOME', '/a"b\\c'].map(unitWord)).toEqual([
      '/a/b',
      '"/a b"',
      '/a%%n',
      '/a$$HOME',
      '"/a\\"b\\\\c"',
    ]);
  });

  it('does not start again what the relay or the configuration has stopped for good', () => {
    expect(unitText(options)).toContain('\nRestartPreventExitStatus=2 77\n');
  });

  it('gives pulls the time that the configuration gives them', () => {
    expect(unitText({ ...options, drainMs: 60_000 })).toContain('\nTimeoutStopSec=75s\n');
  });

  it.each([
    [
      '{ kind: file, root: /var/log }',
      ['ProtectHome=yes', 'PrivateTmp=yes', 'ProtectProc=invisible'],
    ],
    ['{ kind: file, root: /home/ana/data }', ['ProtectHome=read-only', 'PrivateTmp=yes']],
    ['{ kind: file, root: /rooted }', ['ProtectHome=yes']],
    ['{ kind: file, root: / }', ['ProtectHome=read-only', 'PrivateTmp=no']],
    ['{ kind: http, url: unix:/tmp/a.sock }', ['ProtectHome=yes', 'PrivateTmp=no']],
    ['{ kind: command, argv: [/usr/bin/df] }', ['ProtectHome=yes', 'ProtectProc=default']],
  ])('lets a source %s reach what it needs', (source, lines) => {
    const [, kind, key, value = ''] = /kind: (\w+), (\w+): (.*) }/.exec(source) ?? [];
    const entry = { kind, [key ?? '']: key === 'argv' ? [value.slice(1, -1)] : value };
    const parsed = parseSources({ a: { ...entry, allow: [{ paths: ['/**'] }] } });
    if (!('sources' in parsed)) throw new Error(JSON.stringify(parsed.problems));
    const text = unitText({ ...options, needs: needsOf(parsed.sources) });
    for (const line of lines) expect(text).toContain(`\n${line}\n`);
  });
});

describe.skipIf(skip !== '')(`systemd-analyze${skip}`, () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pullwire-unit-'));
  });

  afterEach(() => rm(folder, { recursive: true }));

  async function analyze(over: Partial<UnitOptions>, ...args: string[]): Promise<string> {
    const unit = join(folder, 'pullwire-agent.service');
    // What is to be executed must be there.
    await writeFile(unit, unitText({ ...options, script: process.execPath, ...over }));
    const [verb = '', ...rest] = args;
    return execFileSync('systemd-analyze', [verb, ...rest, unit], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  it('finds nothing wrong', async () => {
    expect(await analyze({}, 'verify', '--man=no')).toBe('');
    const needs = { homes: true, tmp: true, commands: true };
    expect(await analyze({ needs, configFile: '/etc/a b%/agent.yaml' }, 'verify', '--man=no')).toBe(
      '',
    );
  });

  it('finds little that is exposed', async () => {
    const text = await analyze({}, 'security', '--offline=true', '--no-pager');
    const score = Number(/Overall exposure level .*: ([\d.]+)/.exec(text)?.[1]);
    expect(score).toBeLessThanOrEqual(1.7);
  });
});
