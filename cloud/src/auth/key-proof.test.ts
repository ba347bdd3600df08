import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { CompactSign, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { verifyKeyProof } from './key-proof.ts';

const pair = generateKeyPairSync('ed25519');
const other = generateKeyPairSync('ed25519');
const textOf = (key: KeyObject): string => `ed25519:${key.export({ format: 'jwk' }).x}`;
const publicKey = textOf(pair.publicKey);

function prove(
  payload: unknown = { key: publicKey, for: 'rotate:plant-7' },
  header: Record<string, unknown> = {},
  key = pair.privateKey,
): Promise<string> {
  return new CompactSign(new TextEncoder().encode(JSON.stringify(payload)))
    .setProtectedHeader({ alg: 'EdDSA', typ: 'pullwire-key+jwt', ...header })
    .sign(key);
}

describe('a proof of a key', () => {
  it('holds for the key that made it, and its purpose', async () => {
    expect(await verifyKeyProof(await prove(), publicKey, 'rotate:plant-7')).toBe(true);
  });

  it.each([
    ['another purpose', publicKey, 'rotate:plant-8'],
    ['another use', publicKey, 'enroll:plant-7'],
    ['another key', textOf(other.publicKey), 'rotate:plant-7'],
    ['no key', 'ed25519:', 'rotate:plant-7'],
  ])('does not hold for %s', async (_name, key, purpose) => {
    expect(await verifyKeyProof(await prove(), key, purpose)).toBe(false);
  });

  it.each([
    ['by another key that names this one', () => prove(undefined, {}, other.privateKey)],
    ['of a key that it does not name', () => prove({ for: 'rotate:plant-7' })],
    ['of another type', () => prove(undefined, { typ: 'JWT' })],
    ['of no type', () => prove(undefined, { typ: undefined })],
    ['of null', () => prove(null)],
    ['of a list', () => prove([publicKey, 'rotate:plant-7'])],
    ['that is a text', async () => 'proof'],
    ['that is empty', async () => ''],
    ['that is huge', async () => `${await prove()}${'A'.repeat(4_000)}`],
    ['without a signature', async () => `${(await prove()).split('.').slice(0, 2).join('.')}.`],
    [
      'that is a handshake token',
      () =>
        new SignJWT({ key: publicKey, for: 'rotate:plant-7' })
          .setProtectedHeader({ alg: 'EdDSA', typ: 'JWT' })
          .sign(pair.privateKey),
    ],
  ])('%s is none', async (_name, make) => {
    expect(await verifyKeyProof(await make(), publicKey, 'rotate:plant-7')).toBe(false);
  });
});
