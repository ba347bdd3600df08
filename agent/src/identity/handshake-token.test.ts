import { createPublicKey } from 'node:crypto';
import { decodeProtectedHeader, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { generateDeviceKey, publicKeyText } from './device-key.ts';
import { audienceOf, signHandshakeToken } from './handshake-token.ts';

const claims = {
  device: 'plant-7',
  instance: 'main',
  audience: 'relay.example',
  jti: 'j1',
  now: 1_700_000_000_900,
};

describe('a handshake token', () => {
  it('holds what PROTOCOL.md says, and verifies by the public text', async () => {
    const key = await generateDeviceKey();
    const token = await signHandshakeToken(key, claims);
    const x = publicKeyText(key).slice('ed25519:'.length);
    const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    const { payload } = await jwtVerify(token, publicKey, { currentDate: new Date(claims.now) });
    expect(decodeProtectedHeader(token)).toEqual({ alg: 'EdDSA', typ: 'JWT' });
    expect(payload).toEqual({
      sub: 'plant-7',
      inst: 'main',
      aud: 'relay.example',
      iat: 1_700_000_000,
      exp: 1_700_000_120,
      jti: 'j1',
    });
  });

  it.each([0, 301])('does not live for %i seconds', async (ttlSeconds) => {
    const key = await generateDeviceKey();
    expect(() => signHandshakeToken(key, { ...claims, ttlSeconds })).toThrow(RangeError);
  });
});

describe('audienceOf', () => {
  it.each([
    ['wss://Relay.Example/link', 'relay.example'],
    ['wss://relay.example:443/link', 'relay.example'],
    ['ws://relay.example:80', 'relay.example'],
    ['wss://relay.example:8443/a/link', 'relay.example:8443'],
    ['ws://127.0.0.1:8080/link', '127.0.0.1:8080'],
    ['ws://[::1]:8080/link', '[::1]:8080'],
  ])('of %s is %s', (url, audience) => {
    expect(audienceOf(url)).toBe(audience);
  });
});
