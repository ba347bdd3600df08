import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { link, open, readFile, rm, stat } from 'node:fs/promises';
import { promisify } from 'node:util';

/** A key that cannot be used; its message says what to do about it, and holds nothing of the key. */
export class KeyError extends Error {
  override readonly name = 'KeyError';
}

/** A new Ed25519 key (RFC 8032). */
export async function generateDeviceKey(): Promise<KeyObject> {
  const { privateKey } = await promisify(generateKeyPair)('ed25519');
  return privateKey;
}

/**
 * Writes the key as PKCS #8 PEM (RFC 8410) that only its owner can read, whole or not at all. A file that exists is
 * never replaced: whoever holds the old key would no longer be this device.
 *
 * @throws KeyError where `path` exists or its folder does not.
 */
export async function writeDeviceKey(path: string, key: KeyObject): Promise<void> {
  const draft = `${path}.${process.pid}.new`;
  try {
    const file = await open(draft, 'wx', 0o600);
    try {
      await file.writeFile(key.export({ type: 'pkcs8', format: 'pem' }));
      await file.sync();
    } finally {
      await file.close();
    }
    // Unlike a rename, a hard link does not replace what is there.
    await link(draft, path);
  } catch (error) {
    throw new KeyError(whyNotWritten(path, error), { cause: error });
  } finally {
    await rm(draft, { force: true });
  }
}

/**
 * Reads the device's key.
 *
 * @throws KeyError where it is missing, no Ed25519 key, or readable by others than its owner.
 */
export async function readDeviceKey(path: string): Promise<KeyObject> {
  let pem: string;
  try {
    const { mode } = await stat(path);
    if ((mode & 0o077) !== 0)
      throw new KeyError(`${path}: others can read this key; run: chmod 600 ${path}`);
    pem = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof KeyError) throw error;
    throw new KeyError(whyNotRead(path, error), { cause: error });
  }
  return parseDeviceKey(path, pem);
}

/** `ed25519:` and the 32 raw bytes as base64url: the text that `pullwire-relay device add` takes. */
export function publicKeyText(key: KeyObject): string {
  const { x } = createPublicKey(key.export({ type: 'pkcs8', format: 'pem' })).export({
    format: 'jwk',
  });
  return `ed25519:${x}`;
}

function parseDeviceKey(path: string, pem: string): KeyObject {
  let key: KeyObject | undefined;
  try {
    key = createPrivateKey(pem);
  } catch {
    // What the parser says may quote the file.
  }
  if (key?.asymmetricKeyType !== 'ed25519') {
    throw new KeyError(
      `${path}: expected an Ed25519 private key in PEM; make one with: pullwire-agent keygen`,
    );
  }
  return key;
}

function whyNotWritten(path: string, error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EEXIST')
    return `${path}: exists already and is not replaced; name another file with --out`;
  if (code === 'ENOENT') return `${path}: its folder does not exist`;
  return `${path}: cannot be written (${code ?? String(error)})`;
}

function whyNotRead(path: string, error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT')
    return `${path}: no such file; make a key with: pullwire-agent keygen --out ${path}`;
  return `${path}: cannot be read (${code ?? String(error)})`;
}
