import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeCertificate } from './src/certificate.ts';
import { CloudWorld } from './src/cloud-world.ts';
import { ConnectProxy } from './src/connect-proxy.ts';
import {
  closedPort,
  type Diagnosis,
  type DoctorLine,
  DoctorWard,
  examine,
  linkLines,
} from './src/doctor-ward.ts';
import { fakedClock } from './src/faketime.ts';
import { command, Program } from './src/program.ts';
import { createOrigin, type TinyOrigin } from './src/tiny-origin.ts';

let ward: DoctorWard;
let origin: TinyOrigin;

beforeAll(async () => {
  origin = await createOrigin();
  ward = await DoctorWard.start({
    web: { kind: 'http', url: origin.url, allow: [{ paths: ['/metrics'] }] },
    etc: { kind: 'file', root: '/etc', allow: [{ paths: ['/hostname'] }] },
    up: { kind: 'command', argv: ['uptime'], allow: [{ paths: ['/'] }] },
  });
});

afterAll(async () => {
  await ward.stop();
  await origin.stop();
});

const wrong = ({ lines }: Diagnosis): readonly DoctorLine[] =>
  lines.filter(({ state }) => state === 'failed' || state === 'warning');

/** One line is wrong, this one; what is skipped is so for it, or has nothing to look at. */
function expectOnly(diagnosis: Diagnosis, component: string, details: RegExp): DoctorLine {
  const [line, ...others] = wrong(diagnosis);
  expect([line?.component, line?.state, others]).toEqual([component, 'failed', []]);
  expect(line?.details).toMatch(details);
  expect(line?.advice).toMatch(/\w/);
  expect([diagnosis.code, diagnosis.state]).toEqual([2, 'failed']);
  for (const { state, details: why } of diagnosis.lines) {
    if (state === 'skipped')
      expect(why).toMatch(new RegExp(`because ${component} failed|no proxy|did not say`));
  }
  if (line === undefined) throw new Error('nothing is wrong');
  return line;
}

describe('a healthy device', () => {
  test('all is well, and the link of the agent that runs stays as it was', async () => {
    const config = await ward.admit('well');
    const agent = new Program('agent', ['run', '--config', config]);
    await agent.line('link open', 0);
    const before = await shown('well');
    const said = linkLines(agent);
    const diagnosis = await examine(config);
    expect(wrong(diagnosis)).toEqual([]);
    expect([diagnosis.code, diagnosis.state]).toEqual([0, 'ok']);
    expect(
      diagnosis.lines.filter(({ state }) => state === 'skipped').map(({ component }) => component),
    ).toEqual(['tunnel']);
    expect(statesOf(diagnosis)).toMatchObject({ tls: 'ok', authentication: 'ok', source: 'ok' });
    expect(diagnosis.lines.find(({ target }) => target === 'relay')?.details).toMatch(
      /^pullwire-relay\/\d/,
    );
    await ward.world.relay.line(({ msg, text }) => {
      return msg === 'link closed before hello' && text.includes('"well"');
    }, 0);
    expect(await shown('well')).toEqual(before);
    expect(linkLines(agent)).toEqual(said);
    expect(await agent.stop()).toBe(0);
  });

  test('asks the upstream what its rules allow, and no more', async () => {
    const before = origin.requests;
    const { lines } = await ward.examine('asked');
    expect(lines.find(({ target }) => target.startsWith('web'))?.details).toBe(
      'answered 200 to HEAD /metrics',
    );
    expect(origin.requests).toBe(before + 1);
    expect(origin.lastHeaders['user-agent']).toMatch(/^pullwire-agent\/\S+ \(doctor\)$/);
  });

  test('behind a proxy: it is named, without its password, and everything goes through it', async () => {
    const proxy = new ConnectProxy();
    const port = await proxy.start();
    const env = { HTTPS_PROXY: `http://ops:hunter2@127.0.0.1:${port}` };
    const diagnosis = await ward.examine('behind', { env });
    proxy.stop();
    expect(wrong(diagnosis)).toEqual([]);
    expect(proxy.tunnels).toBeGreaterThan(2);
    expect(diagnosis.text).toContain(`opened by http://127.0.0.1:${port}`);
    expect(diagnosis.text).not.toContain('hunter2');
  });

  test('half a day off, by its clock: a warning, and links open all the same', async () => {
    const diagnosis = await ward.examine('late', { env: fakedClock('-12h') });
    expect(wrong(diagnosis).map(({ component, state }) => [component, state])).toEqual([
      ['clock', 'warning'],
    ]);
    expect(wrong(diagnosis)[0]?.details).toMatch(/^12 hours behind the relay’s .*links open/);
    expect([diagnosis.code, diagnosis.state]).toEqual([1, 'warning']);
    expect(statesOf(diagnosis)).toMatchObject({ authentication: 'ok' });
  });

  test('an authority that was added on this device: a warning that names it, as a proxy which opens TLS adds its own', async () => {
    const env = { NODE_EXTRA_CA_CERTS: ward.authority.cert };
    const diagnosis = await ward.examine('added', { settings: { ca: null }, env });
    expect(wrong(diagnosis).map(({ component, state }) => [component, state])).toEqual([
      ['tls', 'warning'],
    ]);
    expect(wrong(diagnosis)[0]?.details).toContain('Its authority is Plant Authority');
    expect(statesOf(diagnosis)).toMatchObject({ authentication: 'ok' });
  });

  test('the table says the same to people', async () => {
    const config = await ward.admit('table');
    const { code, stdout } = await command('agent', ['doctor', '--config', config]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^COMPONENT +TARGET +STATE +DETAILS\n/);
    expect(stdout).toMatch(/\nauthentication +table +ok +accepted: key ed25519:/);
    expect(stdout).toMatch(/\n\n0 failed, 0 warning, \d+ ok, 1 skipped\n$/);
  });
});

describe('a device at which one thing is broken', () => {
  test('a name that does not exist', async () => {
    const relay = 'wss://relay.pullwire.invalid/link';
    const diagnosis = await ward.examine('dns', { settings: { relay } });
    const line = expectOnly(diagnosis, 'dns', /ENOTFOUND|EAI_AGAIN/);
    expect(line.target).toBe('relay.pullwire.invalid');
  });

  test('a closed port', async () => {
    const relay = `wss://127.0.0.1:${await closedPort()}/link`;
    const diagnosis = await ward.examine('port', { settings: { relay } });
    expectOnly(diagnosis, 'tcp', /ECONNREFUSED/);
  });

  test('an expired certificate', async () => {
    const port = await ward.openFront(ward.certificate('old relay', 5, '-10d'));
    const relay = `wss://127.0.0.1:${port}/link`;
    const diagnosis = await ward.examine('expired', { settings: { relay } });
    expectOnly(diagnosis, 'tls', /its certificate has expired \(valid from .* to /);
    expect(statesOf(diagnosis)).toMatchObject({ clock: 'ok' });
  });

  test('a proxy that opens TLS: its authority is named', async () => {
    const { folder } = ward.world;
    const corporate = makeCertificate(folder, 'Corp Inspection CA', { days: 9, from: '-1d' });
    const port = await ward.openFront(ward.certificate('127.0.0.1', 5, '-1d', corporate));
    const proxy = new ConnectProxy(port);
    const env = { HTTPS_PROXY: `http://127.0.0.1:${await proxy.start()}` };
    const diagnosis = await ward.examine('opened', { env });
    proxy.stop();
    const line = expectOnly(
      diagnosis,
      'tls',
      /for 127\.0\.0\.1, but was issued by "Corp Inspection CA"/,
    );
    expect(line.advice).toContain('have 127.0.0.1:');
    expect(ward.world.logs).not.toContain('"opened"');
  });

  test('a clock that is off by more than the certificate lives', async () => {
    const diagnosis = await ward.examine('clock', { env: fakedClock('+400d') });
    expectOnly(diagnosis, 'clock', /^400 days ahead of the relay’s/);
  });

  test('a revoked device', async () => {
    const config = await ward.admit('revoked');
    await ward.world.operate(['device', 'revoke', 'revoked', '--reason', 'the van was stolen']);
    const line = expectOnly(await examine(config), 'authentication', /the van was stolen/);
    expect(line.advice).toContain('pullwire-relay enroll-code --device revoked --replace');
  });

  test('a key that the relay does not know', async () => {
    const config = await ward.admit('replaced');
    await ward.world.operate(['device', 'remove', 'replaced']);
    const publicKey = await ward.world.makeKey('other.key');
    await ward.world.operate(['device', 'add', 'replaced', '--public-key', publicKey]);
    expectOnly(await examine(config), 'authentication', /401.*key ed25519:/);
  });

  test('a key file of another user', async () => {
    const config = await ward.admit('locked');
    const within = ward.takeAway('locked');
    const diagnosis = await examine(config, { within });
    expectOnly(diagnosis, 'key', /cannot be read \(EACCES\)/);
    expect(statesOf(diagnosis)).toMatchObject({ disk: 'ok', tls: 'ok', source: 'ok' });
  });

  test('a dead upstream', async () => {
    const port = await closedPort();
    const dead = { kind: 'http', url: `http://127.0.0.1:${port}`, allow: [{ paths: ['/x/*'] }] };
    const diagnosis = await ward.examine('upstream', { settings: { sources: { dead } } });
    const line = expectOnly(diagnosis, 'source', /cannot be reached: connection refused/);
    expect(line.target).toBe(`dead (http 127.0.0.1:${port})`);
    expect(statesOf(diagnosis)).toMatchObject({ authentication: 'ok', 'round-trip': 'ok' });
  });

  test('a configuration that is wrong', async () => {
    const config = await ward.admit('typo', { heartbeet: 3 });
    expectOnly(await examine(config), 'config', /^heartbeet: /);
  });
});

test('no secret is in what doctor says', async () => {
  const config = await ward.admit('secret');
  const { text } = await examine(config);
  const pem = readFileSync(join(config, '..', 'device.key'), 'utf8').split('\n')[1] ?? '';
  expect(pem.length).toBeGreaterThan(40);
  expect(text).not.toContain(pem);
  expect(text).not.toMatch(/eyJ[A-Za-z0-9_-]{10,}/);
});

describe('on AWS', () => {
  test('the gateway takes the token, and the link of the agent that runs stays as it was', async () => {
    const cloud = await CloudWorld.start({ sources: {} });
    try {
      const path = '/devices/plant-1';
      const headers = { 'Pullwire-Key': cloud.callerKey };
      const look = async (): Promise<unknown> =>
        steady(await (await fetch(cloud.url + path, { headers })).text());
      const before = await look();
      const diagnosis = await examine(join(cloud.folder, 'plant-1.json'));
      expect(statesOf(diagnosis)).toMatchObject({
        websocket: 'ok',
        authentication: 'ok',
        'round-trip': 'ok',
      });
      await cloud.aws.gateway.settled();
      expect(await look()).toEqual(before);
    } finally {
      await cloud.stop();
    }
  });
});

function statesOf({ lines }: Diagnosis): Record<string, string> {
  return Object.fromEntries(lines.map(({ component, state }) => [component, state]));
}

async function shown(device: string): Promise<unknown> {
  return steady(await (await ward.world.get(`/devices/${device}`)).text());
}

/** What the relay says of a device, but for the proof of life, which goes on. */
function steady(text: string): unknown {
  return JSON.parse(text, (name, value: unknown) =>
    name === 'lastProofAt' || name === 'asOf' ? undefined : value,
  );
}
