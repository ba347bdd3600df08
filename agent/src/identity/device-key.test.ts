import { generateKeyPairSync } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  generateDeviceKey,
  KeyError,
  publicKeyText,
  readDeviceKey,
  writeDeviceKey,
} from './device-key.ts';

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pullwire-key-'));
  path = join(folder, 'device.key');
});

afterEach(() => rm(folder, { recursive: true }));

describe('a device key', () => {
  it('is the same after it was written and read', async () => {
    const key = await generateDeviceKey();
    await writeDeviceKey(path, key);
    expect(publicKeyText(await readDeviceKey(path))).toBe(publicKeyText(key));
  });

  it('is readable by its owner alone, and nothing else is left in the folder', async () => {
    await writeDeviceKey(path, await generateDeviceKey());
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(['device.key']);
  });

  it('never replaces another one', async () => {
    await writeFile(path, 'precious');
    const write = writeDeviceKey(path, await generateDeviceKey());
    await expect(write).rejects.toThrow(`${path}: exists already and is not replaced`);
    expect(await readFile(path, 'utf8')).toBe('precious');
    expect(await readdir(folder)).toEqual(['device.key']);
  });

  it('says when there is no folder for it', async () => {
    const write = writeDeviceKey(join(folder, 'no', 'device.key'), await generateDeviceKey());
    await expect(write).rejects.toThrow('its folder does not exist');
  });

  it.each([0o640, 0o604, 0o660])('is not used where its mode is %o', async (mode) => {
    await writeDeviceKey(path, await generateDeviceKey());
    await chmod(path, mode);
    await expect(readDeviceKey(path)).rejects.toThrow(`run: chmod 600 ${path}`);
  });

  it('says how to make one where there is none', async () => {
    await expect(readDeviceKey(path)).rejects.toThrow(`pullwire-agent keygen --out ${path}`);
  });

  it('says what is wrong with a file that holds none, without quoting it', async () => {
    await writeFile(path, 'hunter2', { mode: 0o600 });
    const error = await readDeviceKey(path).catch((reason) => reason);
    expect(error).toBeInstanceOf(KeyError);
    expect(error.message).toContain('expected an Ed25519 private key');
    expect(`${error.message}${error.cause}`).not.toContain('hunter2');
  });

  it('must be an Ed25519 key', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    await writeFile(path, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    await expect(readDeviceKey(path)).rejects.toThrow('expected an Ed25519 private key');
  });

  it('has a public half of 32 bytes in base64url', async () => {
    const text = publicKeyText(await generateDeviceKey());
    expect(text).toMatch(/^ed25519:[A-Za-z0-9_-]{43}$/);
    expect(Buffer.from(text.slice(8), 'base64url')).toHaveLength(32);
  });
});
