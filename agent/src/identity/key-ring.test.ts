import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeProtectedHeader, importJWK, jwtVerify } from 'jose';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { generateDeviceKey, publicKeyText, readDeviceKey, writeDeviceKey } from './device-key.ts';
import { KeyRing } from './key-ring.ts';

const claims = {
  device: 'plant-7',
  instance: 'main',
  audience: 'relay.example',
  jti: 'j1',
  now: Date.now(),
};

let folder: string;
let path: string;
let logged: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pullwire-ring-'));
  path = join(folder, 'device.key');
  logged = [];
  await writeDeviceKey(path, await generateDeviceKey());
});

afterEach(async () => {
  expect(logged.join('')).not.toContain('PRIVATE KEY');
  await rm(folder, { recursive: true });
});

async function startRing(): Promise<KeyRing> {
  const ring = new KeyRing(path, pino({}, { write: (line) => logged.push(line) }));
  await ring.start();
  return ring;
}

async function fileKey(file: string): Promise<string> {
  return publicKeyText(await readDeviceKey(file));
}

/** What a relay knows of the device, as PROTOCOL.md has it. */
class RelaySide {
  publicKey: string;
  nextKey: string | undefined;

  constructor(publicKey: string) {
    this.publicKey = publicKey;
  }

  note(nextKey: string): void {
    this.nextKey = nextKey;
  }

  async takes(token: string): Promise<boolean> {
    if (this.nextKey !== undefined && (await isSignedBy(token, this.nextKey))) {
      this.publicKey = this.nextKey;
      this.nextKey = undefined;
      return true;
    }
    return isSignedBy(token, this.publicKey);
  }
}

async function isSignedBy(token: string, publicKey: string): Promise<boolean> {
  const x = publicKey.slice('ed25519:'.length);
  const key = await importJWK({ kty: 'OKP', crv: 'Ed25519', x }, 'EdDSA');
  return jwtVerify(token, key).then(
    () => true,
    () => false,
  );
}

/** Dials until it links; how often it was refused. */
async function link(ring: KeyRing, relay: RelaySide): Promise<number> {
  for (let refused = 0; refused < 5; refused += 1) {
    if (await relay.takes(await ring.sign(claims))) {
      await ring.linked();
      return refused;
    }
    ring.refused();
  }
  throw new Error('the device has lost its identity');
}

describe('a key ring', () => {
  it('signs with the key of its file', async () => {
    const ring = await startRing();
    expect(ring.publicKey).toBe(await fileKey(path));
    const token = await ring.sign(claims);
    expect(decodeProtectedHeader(token)).toMatchObject({ alg: 'EdDSA' });
    expect(await isSignedBy(token, ring.publicKey)).toBe(true);
    ring.refused();
    await ring.linked();
    expect(ring.publicKey).toBe(await fileKey(path));
    expect(await readdir(folder)).toEqual(['device.key']);
  });

  it('changes to the next key: written first, used once confirmed, settled once linked', async () => {
    const ring = await startRing();
    const relay = new RelaySide(ring.publicKey);
    const old = ring.publicKey;
    const { publicKey, proof } = await ring.next('plant-7');
    expect(await fileKey(`${path}.next`)).toBe(publicKey);
    expect((await stat(`${path}.next`)).mode & 0o777).toBe(0o600);
    expect(decodeProtectedHeader(proof)).toMatchObject({ typ: 'pullwire-key+jwt' });
    const payload = Buffer.from(proof.split('.')[1] ?? '', 'base64url').toString();
    expect(JSON.parse(payload)).toEqual({ key: publicKey, for: 'rotate:plant-7' });
    expect(ring.publicKey).toBe(old);
    relay.note(publicKey);
    ring.confirmed(publicKey);
    expect(await link(ring, relay)).toBe(0);
    expect(relay.publicKey).toBe(publicKey);
    expect(await fileKey(path)).toBe(publicKey);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(['device.key']);
    expect((await ring.next('plant-7')).publicKey).not.toBe(publicKey);
  });

  it('is not moved by a confirmation of another key', async () => {
    const ring = await startRing();
    const old = ring.publicKey;
    await ring.next('plant-7');
    ring.confirmed(old);
    expect(ring.publicKey).toBe(old);
  });

  it('offers a next key again that was not settled, also after a restart', async () => {
    const { publicKey } = await (await startRing()).next('plant-7');
    const ring = await startRing();
    expect(await ring.next('plant-7')).toMatchObject({ publicKey });
    expect(await ring.next('plant-7')).toMatchObject({ publicKey });
  });

  it('goes back to the old key where the relay takes that one only', async () => {
    const ring = await startRing();
    const relay = new RelaySide(ring.publicKey);
    ring.confirmed((await ring.next('plant-7')).publicKey);
    expect(await link(ring, relay)).toBe(1);
    expect(await link(ring, relay)).toBe(0);
    expect(await readdir(folder)).toEqual(['device.key', 'device.key.next']);
  });
});

describe('a process that dies', () => {
  /** A rotation that stops at a point; what the relay knows then. */
  async function dieAfter(
    point: 'written' | 'rotated' | 'linked' | 'settled',
  ): Promise<{ relay: RelaySide; next: string }> {
    const ring = await startRing();
    const relay = new RelaySide(ring.publicKey);
    const { publicKey: next } = await ring.next('plant-7');
    if (point === 'written') return { relay, next };
    relay.note(next);
    ring.confirmed(next);
    if (point === 'rotated') return { relay, next };
    expect(await relay.takes(await ring.sign(claims))).toBe(true);
    if (point === 'settled') await ring.linked();
    return { relay, next };
  }

  it.each([
    ['written', 0, 'the old key'],
    ['rotated', 0, 'the old key'],
    ['linked', 1, 'the next key'],
    ['settled', 0, 'the next key'],
  ] as const)(
    'after the key was %s links again after %i refusals, with %s',
    async (point, refusals, whose) => {
      const { relay, next } = await dieAfter(point);
      const ring = await startRing();
      expect(await link(ring, relay)).toBe(refusals);
      expect(ring.publicKey === next).toBe(whose === 'the next key');
      expect(await link(await startRing(), relay)).toBe(0);
    },
  );

  it.each(['written', 'rotated'] as const)(
    'after the key was %s rotates when it is asked again',
    async (point) => {
      const { relay, next } = await dieAfter(point);
      const ring = await startRing();
      await link(ring, relay);
      expect(await ring.next('plant-7')).toMatchObject({ publicKey: next });
      relay.note(next);
      ring.confirmed(next);
      expect(await link(ring, relay)).toBe(0);
      expect(relay.publicKey).toBe(next);
      expect(await fileKey(path)).toBe(next);
    },
  );
});

describe('files that are not as they should be', () => {
  it('a damaged next key is reported and left alone', async () => {
    await writeFile(`${path}.next`, 'hunter2', { mode: 0o600 });
    const ring = await startRing();
    expect(logged.join('')).toContain('left alone');
    expect(logged.join('')).not.toContain('hunter2');
    await expect(ring.next('plant-7')).rejects.toThrow('exists already and is not replaced');
    ring.refused();
    await ring.sign(claims);
    await ring.linked();
    expect(await readFile(`${path}.next`, 'utf8')).toBe('hunter2');
  });

  it('a next key that others can read is not used', async () => {
    await (await startRing()).next('plant-7');
    await chmod(`${path}.next`, 0o644);
    const ring = await startRing();
    expect(logged.join('')).toContain(`chmod 600 ${path}.next`);
    ring.refused();
    expect(ring.publicKey).toBe(await fileKey(path));
  });

  it('a current key that others can read ends the start', async () => {
    await chmod(path, 0o640);
    await expect(startRing()).rejects.toThrow(`run: chmod 600 ${path}`);
  });

  it('a next key that was tidied away is written again before it takes over', async () => {
    const ring = await startRing();
    const { publicKey } = await ring.next('plant-7');
    ring.confirmed(publicKey);
    await rm(`${path}.next`);
    await ring.sign(claims);
    await ring.linked();
    expect(await fileKey(path)).toBe(publicKey);
  });

  it('a folder that is gone changes nothing about what signs', async () => {
    const ring = await startRing();
    const { publicKey } = await ring.next('plant-7');
    ring.confirmed(publicKey);
    await ring.sign(claims);
    await rm(folder, { recursive: true });
    await ring.linked();
    expect(logged.join('')).toContain('could not replace the old one');
    expect(ring.publicKey).toBe(publicKey);
    await ring.sign(claims);
    folder = await mkdtemp(join(tmpdir(), 'pullwire-ring-'));
  });
});
