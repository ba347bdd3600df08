import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { generateDeviceKey, writeDeviceKey } from '../identity/device-key.ts';
import type { Check, CheckLine } from './check.ts';
import { configCheck } from './config-check.ts';
import { diskCheck } from './disk-check.ts';
import { keyCheck } from './key-check.ts';
import { proxyCheck } from './proxy-check.ts';
import { runChecks } from './run-checks.ts';
import { patientWith } from './sample-patient.ts';
import { sourceCheck } from './source-check.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pullwire-doctor-'));
});

afterEach(() => rm(folder, { recursive: true }));

/** The lines of one check, with a configuration that is right but for `more`. */
async function linesOf(
  check: Check,
  more: object = {},
  env: Record<string, string> = {},
): Promise<readonly CheckLine[]> {
  const file = join(folder, 'agent.json');
  const base = {
    relay: 'wss://relay.example',
    device: 'plant-7',
    keyFile: join(folder, 'device.key'),
  };
  await writeFile(file, JSON.stringify({ ...base, sources: {}, ...more }));
  const all = await runChecks([configCheck, check], patientWith(file, { env }));
  return all.filter(({ component }) => component === check.component);
}

describe('config', () => {
  it('has a line for each mistake, by its key', async () => {
    const lines = await linesOf(configCheck, { maxPulls: 0, drainMs: 'soon' });
    expect(new Set(lines.map(({ target, state }) => `${target} ${state}`))).toEqual(
      new Set(['maxPulls failed', 'drainMs failed']),
    );
  });
});

describe('key', () => {
  const keyFile = () => join(folder, 'device.key');

  it('is named by its public half, with mode and owner', async () => {
    await writeDeviceKey(keyFile(), await generateDeviceKey());
    const [line, ...others] = await linesOf(keyCheck);
    expect([line?.state, others]).toEqual(['ok', []]);
    expect(line?.details).toMatch(/^ed25519:[\w-]{43}; mode 0600, owner uid \d+$/);
  });

  it('that others can read has failed, with the command that mends it', async () => {
    await writeDeviceKey(keyFile(), await generateDeviceKey());
    await chmod(keyFile(), 0o640);
    const [line] = await linesOf(keyCheck);
    expect(line).toMatchObject({ state: 'failed', target: keyFile() });
    expect(line?.details).toContain(`chmod 600 ${keyFile()}`);
  });

  it('that is not there: enrol', async () => {
    const [line] = await linesOf(keyCheck);
    expect(line?.state).toBe('failed');
    expect(line?.advice).toContain('pullwire-agent enroll');
  });

  it('in a folder that others may write is a warning', async () => {
    await writeDeviceKey(keyFile(), await generateDeviceKey());
    await chmod(folder, 0o777);
    const lines = await linesOf(keyCheck);
    expect(lines.map(({ target, state }) => [target, state])).toEqual([
      [keyFile(), 'ok'],
      [folder, 'warning'],
    ]);
  });

  it('a token that everybody can read is a warning, and the token is not shown', async () => {
    const tokenFile = join(folder, 'token');
    await writeFile(tokenFile, 'aaa.bbb.ccc\n', { mode: 0o644 });
    const [line] = await linesOf(keyCheck, { tokenFile });
    expect(line?.state).toBe('warning');
    expect(JSON.stringify(line)).not.toContain('aaa.bbb');
  });
});

describe('disk', () => {
  it('is written to, and left as it was', async () => {
    const [line] = await linesOf(diskCheck);
    expect(line).toMatchObject({ state: 'ok', target: folder });
    expect(line?.details).toMatch(/^writable, \d+ MiB free$/);
  });

  it('a folder that is not there is a warning', async () => {
    const [line] = await linesOf(diskCheck, { keyFile: join(folder, 'gone', 'device.key') });
    expect(line?.state).toBe('warning');
    expect(line?.details).toContain('ENOENT');
  });
});

describe('proxy', () => {
  it.each([
    [{}, 'none is named'],
    [{ HTTPS_PROXY: 'http://u:secret@proxy.example:3128' }, 'the environment names it'],
    [
      { HTTPS_PROXY: 'http://u:secret@proxy.example:3128', NO_PROXY: '.example' },
      'NO_PROXY exempts relay.example from http://proxy.example:3128',
    ],
  ])('%j', async (env: Record<string, string>, details) => {
    const [line] = await linesOf(proxyCheck, {}, env);
    expect(line?.state).toBe('ok');
    expect(line?.details).toContain(details);
    expect(JSON.stringify(line)).not.toContain('secret');
  });

  it('that cannot be used has failed, and what stands in the variable is not shown', async () => {
    const [line] = await linesOf(proxyCheck, {}, { HTTPS_PROXY: 'socks5://u:secret@proxy' });
    expect(line?.state).toBe('failed');
    expect(line?.details).toMatch(/^HTTPS_PROXY: expected the URL of an HTTP proxy/);
    expect(JSON.stringify(line)).not.toContain('secret');
  });
});

describe('source', () => {
  it('none at all is a warning', async () => {
    expect(await linesOf(sourceCheck)).toMatchObject([{ state: 'warning', target: 'none' }]);
  });

  it('a program is looked for in PATH, and not run', async () => {
    const trace = join(folder, 'trace');
    const bin = join(folder, 'bin');
    await mkdir(bin);
    await writeFile(join(bin, 'meter'), `#!/bin/sh\ntouch ${trace}\n`, { mode: 0o755 });
    await writeFile(join(bin, 'dull'), 'text', { mode: 0o644 });
    const command = (program: string) => ({ kind: 'command', argv: [program], env: { PATH: bin } });
    const sources = { a: command('meter'), b: command('dull'), c: command('gone') };
    const lines = await linesOf(sourceCheck, { sources });
    expect(lines.map(({ state, details }) => [state, details])).toEqual([
      ['ok', `found at ${join(bin, 'meter')}; it was not run`],
      ['failed', `${join(bin, 'dull')} cannot be run (EACCES)`],
      ['failed', `there is no gone in PATH (${bin})`],
    ]);
    expect((await linesOf(diskCheck))[0]?.state).toBe('ok');
    await expect(rm(trace)).rejects.toThrow('ENOENT');
  });

  it('a folder that is gone has failed, and one that is there is ok', async () => {
    const file = (root: string) => ({ kind: 'file', root, allow: [] });
    const sources = { here: file(folder), gone: file(join(folder, 'gone')) };
    const lines = await linesOf(sourceCheck, { sources });
    expect(lines.map(({ state }) => state)).toEqual(['ok', 'failed']);
    expect(lines[1]?.details).toContain('ENOENT');
  });

  it('an upstream that may be asked nothing is only connected to', async () => {
    let requests = 0;
    const server = createServer((_request, response) => {
      requests += 1;
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}`;
    const allow = [{ methods: ['POST'], paths: ['/jobs'] }];
    const [line] = await linesOf(sourceCheck, { sources: { jobs: { kind: 'http', url, allow } } });
    await new Promise((resolve) => server.close(resolve));
    expect(line).toMatchObject({ state: 'ok', target: `jobs (http 127.0.0.1:${port})` });
    expect(line?.details).toMatch(/^connected; its rules name no path/);
    expect(requests).toBe(0);
  });

  it.each([
    [401, 'warning'],
    [404, 'ok'],
    [500, 'warning'],
  ])('an upstream that answers %i is %s', async (status, state) => {
    const server = createServer((_request, response) => response.writeHead(status).end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const sources = { web: { kind: 'http', url, allow: [{ paths: ['/**'] }] } };
    const [line] = await linesOf(sourceCheck, { sources });
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    expect(line).toMatchObject({ state, details: expect.stringContaining(`${status} to HEAD /`) });
  });

  it('a secret that is not there is named at its source', async () => {
    const headers = { Authorization: { env: 'METER_TOKEN' } };
    const sources = { web: { kind: 'http', url: 'http://127.0.0.1:1', headers, allow: [] } };
    const [line] = await linesOf(sourceCheck, { sources });
    expect(line?.state).toBe('failed');
    expect(line?.details).toContain('METER_TOKEN');
  });
});
