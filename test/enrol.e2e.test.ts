import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { publicKeyText } from '../agent/src/identity/device-key.ts';
import { signKeyProof } from '../agent/src/identity/key-proof.ts';
import { generateEnrolCode, hashEnrolCode } from '../cloud/src/enroll/enrol-code.ts';
import { formOf } from '../cloud/test/ministack/secret-form.ts';
import { type AttackHost, attackHosts, startAttackHost } from './src/attack-host.ts';
import { AttackKeys } from './src/attack-token.ts';
import { command, Program } from './src/program.ts';
import { createOrigin, type TinyOrigin } from './src/tiny-origin.ts';
import { WireTap } from './src/wire-tap.ts';

/** The 32 bytes from which the private key follows (RFC 8032 §5.1.5). */
function seedOf(keyFile: string): Buffer {
  const { d } = createPrivateKey(readFileSync(keyFile)).export({ format: 'jwk' });
  return Buffer.from(d ?? '', 'base64url');
}

/** Everything below a folder, file by file. */
function* filesBelow(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) yield join(entry.parentPath, entry.name);
  }
}

describe('from nothing, on one box', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pullwire-enrol-'));
  const data = join(folder, 'relay');
  const programs: Program[] = [];
  let tap: WireTap;
  let origin: TinyOrigin;
  let relay: Program;
  let key = '';

  const operate = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await command('relay', [...args, '--data', data]);
    expect([code, stderr]).toEqual([0, expect.any(String)]);
    return stdout.trim();
  };
  const run = (args: string[], env: Record<string, string> = {}): Program => {
    const agent = new Program('agent', ['run', ...args], env);
    programs.push(agent);
    return agent;
  };
  const pull = (device: string): Promise<Response> =>
    fetch(`http://${tap.host}/devices/${device}/sources/web/x`, {
      headers: { 'Pullwire-Key': key },
    });
  const sources = (): string =>
    `# what this device offers\nsources:\n  web: { kind: http, url: '${origin.url}', allow: [{ paths: ['/**'] }] }\n`;

  beforeAll(async () => {
    origin = await createOrigin();
    tap = await WireTap.start();
    relay = new Program('relay', [
      ...['serve', '--data', data, '--listen', '127.0.0.1:0', '--log-level', 'debug'],
      ...['--public-url', `http://${tap.host}`],
    ]);
    programs.push(relay);
    const { url } = await relay.line('listening', 0);
    tap.before(Number(new URL(String(url)).port));
    key = await operate('key', 'add', '--name', 'ops');
  });

  afterAll(async () => {
    for (const program of programs.toReversed()) await program.stop();
    tap.stop();
    await origin.stop();
    rmSync(folder, { recursive: true });
  });

  test('code, enroll, run, pull: and the private key never leaves the device', async () => {
    const device = join(folder, 'device');
    const config = join(device, 'agent.yaml');
    rmSync(device, { recursive: true, force: true });
    const code = await operate('enroll-code', '--device', 'plant-7', '--label', 'site=north');
    expect(code).toMatch(/^pwe_[a-z0-9]{6}_[a-z0-9]{32}$/);
    mkdirFor(config);
    writeFileSync(config, sources());
    const relayUrl = `http://${tap.host}`;
    const enrolled = await command('agent', [
      ...['enroll', '--relay', relayUrl, '--code', code, '--config', config],
    ]);
    expect([enrolled.code, enrolled.stderr]).toEqual([0, expect.any(String)]);
    const keyFile = join(device, 'identity', 'device.key');
    expect(statSync(keyFile).mode & 0o777).toBe(0o600);
    expect(statSync(join(device, 'identity')).mode & 0o777).toBe(0o700);
    expect(readFileSync(config, 'utf8')).toContain('# what this device offers');

    const agent = run(['--config', config]);
    await agent.line('link open', 0);
    expect(await (await pull('plant-7')).text()).toBe('GET /x');
    const shown = await fetch(`http://${tap.host}/devices/plant-7`, {
      headers: { 'Pullwire-Key': key },
    });
    expect(await shown.json()).toMatchObject({ presence: 'connected', labels: { site: 'north' } });

    const logs = programs.flatMap(({ lines }) => lines.map(({ text }) => text)).join('\n');
    const wire = tap.bytes;
    expect(wire.includes('POST /enroll')).toBe(true);
    // What the link's frames hold is masked here (RFC 6455 §5.3): `cloud/test/ministack/enrol` takes the masks off.
    const seed = seedOf(keyFile);
    for (const text of [wire.toString('latin1'), logs]) expect(formOf(seed, text)).toBeUndefined();
    for (const file of filesBelow(data)) {
      expect(formOf(seed, readFileSync(file, 'latin1'))).toBeUndefined();
    }
    expect(formOf(seed, readFileSync(keyFile, 'latin1'))).toBe('base64');
    // The code is on the wire, where TLS belongs; it is nowhere else.
    expect(logs).not.toContain(code);
    for (const file of filesBelow(data)) expect(readFileSync(file).includes(code)).toBe(false);
    expect(enrolled.stdout + enrolled.stderr).not.toContain(code);
  });

  test('on the first start, by PULLWIRE_ENROLL_CODE, with no device in the configuration', async () => {
    const device = join(folder, 'first-start');
    const config = join(device, 'agent.yaml');
    mkdirFor(config);
    writeFileSync(
      config,
      `relay: ws://${tap.host}/link\nkeyFile: identity/device.key\n${sources()}`,
    );
    const code = await operate('enroll-code', '--device', 'plant-8');
    const first = run(['--config', config], { PULLWIRE_ENROLL_CODE: code });
    await first.line('link open', 0);
    expect((await pull('plant-8')).status).toBe(200);
    await first.stop();
    // As a container comes back: with the same environment.
    const second = run(['--config', config], { PULLWIRE_ENROLL_CODE: code });
    await second.line('link open', 0);
    await second.stop();
    expect([...first.lines, ...second.lines].map(({ text }) => text).join()).not.toContain(code);
  });

  test('a spent code leaves nothing behind, and the text says what to do', async () => {
    const code = await operate('enroll-code', '--device', 'plant-9');
    const enroll = (name: string) => {
      const config = join(folder, name, 'agent.yaml');
      mkdirFor(config);
      const args = ['enroll', '--relay', `http://${tap.host}`, '--code', code];
      return command('agent', [...args, '--config', config]);
    };
    expect((await enroll('one')).code).toBe(0);
    const { code: exit, stderr } = await enroll('two');
    expect(exit).not.toBe(0);
    expect(stderr).toMatch(/spent|expired/);
    expect(stderr).toContain('enroll-code');
    expect(stderr).not.toContain(code);
    expect(existsSync(join(folder, 'two', 'identity', 'device.key'))).toBe(false);
    expect(existsSync(join(folder, 'two', 'agent.yaml'))).toBe(false);
  });
});

function mkdirFor(file: string): void {
  mkdirSync(dirname(file), { recursive: true });
}

describe.each(attackHosts)('two agents race for one code, on %s', (name) => {
  let host: AttackHost;

  beforeAll(async () => {
    host = await startAttackHost(name, { sources: {}, issuers: [], keys: new AttackKeys() });
  });

  afterAll(async () => {
    await host?.stop();
  });

  const contend = async (code: string, key: KeyObject, device: string): Promise<number> => {
    const proof = await signKeyProof(key, `enroll:${hashEnrolCode(code)}`);
    const answer = await fetch(`${host.url}/enroll`, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        'X-Forwarded-For': device.replace(/^r/, '198.18.'),
      },
      body: JSON.stringify({ code, publicKey: publicKeyText(key), proof }),
    });
    await answer.arrayBuffer();
    return answer.status;
  };

  test('200 times, exactly one wins', async () => {
    for (let round = 0; round < 200; round += 1) {
      const device = `r${round % 250}.7`;
      const { id, code, hash } = generateEnrolCode();
      const now = Date.now();
      const expiresAt = Math.ceil(now / 1_000) + 600;
      await host.registry.addEnrolCode({ id, hash, device, labels: {}, createdAt: now, expiresAt });
      const keys = [1, 2].map(() => generateKeyPairSync('ed25519').privateKey);
      const statuses = await Promise.all(keys.map((key) => contend(code, key, device)));
      expect(statuses.toSorted()).toEqual([201, 401]);
      const winner = keys[statuses.indexOf(201)] as KeyObject;
      const record = await host.registry.deviceRecord(device);
      expect(record?.publicKey).toBe(publicKeyText(winner));
    }
  });
});
