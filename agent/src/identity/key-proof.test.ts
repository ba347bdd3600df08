import { compactVerify, decodeProtectedHeader, importJWK } from 'jose';
import { describe, expect, it } from 'vitest';
import { generateDeviceKey, publicKeyText } from './device-key.ts';
import { signKeyProof } from './key-proof.ts';

describe('a proof of a key', () => {
  it('is signed by the key that it names, for one purpose, and holds nothing about time', async () => {
    const key = await generateDeviceKey();
    const publicKey = publicKeyText(key);
    const proof = await signKeyProof(key, 'rotate:plant-7');
    expect(decodeProtectedHeader(proof)).toEqual({ alg: 'EdDSA', typ: 'pullwire-key+jwt' });
    const x = publicKey.slice('ed25519:'.length);
    const verifier = await importJWK({ kty: 'OKP', crv: 'Ed25519', x }, 'EdDSA');
    const { payload } = await compactVerify(proof, verifier);
    expect(JSON.parse(Buffer.from(payload).toString())).toEqual({
      key: publicKey,
      for: 'rotate:plant-7',
    });
    expect(proof.length).toBeLessThan(2_048);
  });
});
