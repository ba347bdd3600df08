import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { systemClock } from '@pullwire/shared';
import { createLocalJWKSet, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { CallerAuth } from './caller-auth.ts';
import { Issuers } from './issuers.ts';

const [ours, device] = [generateKeyPairSync('ed25519'), generateKeyPairSync('ed25519')];
const keys = [{ ...ours.publicKey.export({ format: 'jwk' }), kid: 'one' }];
let checks = 0;
const issuers = new Issuers({
  issuers: [
    {
      issuer: 'https://a.example',
      audience: 'pullwire',
      algorithms: ['EdDSA'],
      callers: {
        name: 'sub',
        grants: [{ when: {}, devices: ['plant-*'], sources: ['*'], methods: ['GET'] }],
      },
    },
  ],
  keysOf: () => ({
    find: (header, token) => {
      checks += 1;
      return createLocalJWKSet({ keys: keys as never[] })(header, token);
    },
  }),
});
const registry = { keyByHash: async () => undefined, noteKeyUse: async () => undefined };
const auth = new CallerAuth({ registry, clock: systemClock, issuers });

function sign(claims: Record<string, unknown>, key: KeyObject): Promise<string> {
  return new SignJWT({ sub: 'plant-7', aud: 'pullwire', ...claims })
    .setProtectedHeader({ alg: 'EdDSA', typ: 'JWT', kid: 'one' })
    .setIssuedAt()
    .setExpirationTime('5m')
    .sign(key);
}

const ask = async (token: string) =>
  auth.authenticate({ headers: ['Authorization', `Bearer ${token}`], remoteAddress: undefined });

describe("a caller's token, from the header to the issuer's key", () => {
  it('costs one check of a signature for a thousand requests', async () => {
    const token = await sign({ iss: 'https://a.example' }, ours.privateKey);
    for (let at = 0; at < 1_000; at += 1) expect((await ask(token)).name).toBe('plant-7');
    expect(checks).toBe(1);
  });

  it.each([
    ['an agent’s own for its handshake', { inst: 'main', jti: 'one' }, 'key-unknown'],
    ['an agent’s own that names the issuer', { iss: 'https://a.example' }, 'signature-wrong'],
  ])('is not %s', async (_, claims, reason) => {
    await expect(ask(await sign(claims, device.privateKey))).rejects.toMatchObject({
      code: 'caller-unauthenticated',
      cause: { code: reason },
    });
  });
});
