import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeCertificate } from './src/certificate.ts';
import { fakedClock } from './src/faketime.ts';
import { command, Program } from './src/program.ts';
import { pullByTls } from './src/pull-by-tls.ts';
import { createOrigin, type TinyOrigin } from './src/tiny-origin.ts';

const folder = mkdtempSync(join(tmpdir(), 'pullwire-clock-'));
const data = join(folder, 'relay');
const programs: Program[] = [];
let origin: TinyOrigin;
let port = 0;
let ca = '';
let key = '';

const operate = async (...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await command('relay', [...args, '--data', data]);
  expect([code, stderr]).toEqual([0, expect.any(String)]);
  return stdout.trim();
};

/** A device's folder with a configuration that has sources and nothing else. */
function deviceFolder(device: string): string {
  const own = join(folder, device);
  mkdirSync(own);
  writeFileSync(
    join(own, 'agent.yaml'),
    `ca: ${ca}\nsources:\n  web: { kind: http, url: '${origin.url}', allow: [{ paths: ['/**'] }] }\n`,
  );
  return join(own, 'agent.yaml');
}

const enroll = (config: string, code: string, env: Record<string, string>) =>
  command(
    'agent',
    [
      'enroll',
      '--relay',
      `https://127.0.0.1:${port}`,
      '--code',
      code,
      '--ca',
      ca,
      '--config',
      config,
    ],
    env,
  );

beforeAll(async () => {
  origin = await createOrigin();
  const files = makeCertificate(folder, 'relay', { days: 4, from: '-2d' });
  ca = files.cert;
  const relay = new Program('relay', [
    ...['serve', '--data', data, '--listen', '127.0.0.1:0'],
    ...['--tls-cert', files.cert, '--tls-key', files.key],
  ]);
  programs.push(relay);
  const { url } = await relay.line('listening', 0);
  port = Number(new URL(String(url)).port);
  key = await operate('key', 'add', '--name', 'ops');
});

afterAll(async () => {
  for (const program of programs.toReversed()) await program.stop();
  await origin.stop();
  rmSync(folder, { recursive: true });
});

describe('a device whose clock is off by half a day', () => {
  test.each([
    ['ahead', '+12h'],
    ['behind', '-12h'],
  ])('%s: enrols, links and answers pulls, over TLS', async (name, offset) => {
    const device = `clock-${name}`;
    const config = deviceFolder(device);
    const code = await operate('enroll-code', '--device', device);
    const enrolled = await enroll(config, code, fakedClock(offset));
    expect([enrolled.code, enrolled.stderr]).toEqual([0, expect.any(String)]);
    const agent = new Program('agent', ['run', '--config', config], fakedClock(offset));
    programs.push(agent);
    await agent.line('link open', 0);
    const loggedAt = new Date(agent.lines.at(-1)?.['time'] as string | number).getTime();
    expect(Math.abs(loggedAt - Date.now())).toBeGreaterThan(11 * 3_600_000);
    const path = `/devices/${device}/sources/web/x`;
    expect(await pullByTls({ port, path, key, ca: readFileSync(ca) })).toBe('200 GET /x');
    await agent.stop();
  });
});

describe('a device whose clock lies outside the certificate’s validity', () => {
  test.each([
    ['after', '+400d'],
    ['before', '-400d'],
  ])('%s it: no bypass, and log and exit text name both dates', async (name, offset) => {
    const device = `year-${name}`;
    const config = deviceFolder(device);
    const code = await operate('enroll-code', '--device', device);
    const { code: exit, stderr } = await enroll(config, code, fakedClock(offset));
    expect(exit).not.toBe(0);
    expectDates(stderr, offset);
    // Enrolled while its clock was right; then its battery died.
    expect((await enroll(config, code, {})).code).toBe(0);
    const agent = new Program('agent', ['run', '--config', config], fakedClock(offset));
    programs.push(agent);
    const line = await agent.line(({ text }) => text.includes('certificate'), 0);
    expectDates(line.text, offset);
    await agent.stop();
    const said = agent.lines.filter(({ msg }) => msg === undefined).map(({ text }) => text);
    expectDates(said.join('\n'), offset);
  });
});

/** The device's date and both of the certificate's, to the day. */
function expectDates(text: string, offset: string): void {
  const day = (days: number): string =>
    new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
  expect(text).toContain(day(Number.parseInt(offset, 10)));
  expect(text).toContain(day(-2));
  expect(text).toContain(day(2));
  expect(text).toMatch(/clock/);
}
