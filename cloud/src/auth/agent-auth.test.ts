import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { systemClock } from '@pullwire/shared';
import { SignJWT } from 'jose';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Device } from '../registry/registry.ts';
import { RegistryError } from '../registry/registry-error.ts';
import { AgentAuth } from './agent-auth.ts';

const pair = generateKeyPairSync('ed25519');
const stranger = generateKeyPairSync('ed25519').privateKey;
const record = {
  device: 'plant-7',
  publicKey: `ed25519:${pair.publicKey.export({ format: 'jwk' }).x}`,
  labels: { site: 'north' },
  createdAt: 1,
};
const now = 1_800_000_000_000;
let wall = now;
let answer: () => Device | undefined;
let auth: AgentAuth;
beforeEach(() => {
  wall = now;
  answer = () => ({ record, links: [] });
  const registry = { deviceRecord: async () => answer()?.record };
  auth = new AgentAuth({ registry, clock: { ...systemClock, wall: () => wall } });
});

function token(key = pair.privateKey, audience = 'relay'): Promise<string> {
  return new SignJWT({ inst: 'main' })
    .setProtectedHeader({ alg: 'EdDSA', typ: 'JWT' })
    .setSubject('plant-7')
    .setAudience(audience)
    .setJti('one')
    .setIssuedAt(wall / 1_000)
    .setExpirationTime(wall / 1_000 + 60)
    .sign(key);
}

describe('an agent', () => {
  it('is let in by its token, with the record of its device', async () => {
    const agent = await auth.authenticate(await token(), ['relay']);
    expect(agent).toMatchObject({ identity: { device: 'plant-7', instance: 'main' }, record });
  });

  it('is refused with a reason that it may know', async () => {
    await expect(auth.authenticate(await token(), ['elsewhere'])).rejects.toMatchObject({
      code: 'link-unauthenticated',
      message: expect.stringContaining('this one is elsewhere'),
      cause: { code: 'audience-wrong' },
    });
  });

  it('of a removed device is refused from then on', async () => {
    await auth.authenticate(await token(), ['relay']);
    answer = () => undefined;
    await expect(auth.authenticate(await token(), ['relay'])).rejects.toMatchObject({
      code: 'link-unauthenticated',
      cause: { code: 'device-unknown' },
    });
  });

  it('of a device that was just added is let in at once', async () => {
    answer = () => undefined;
    await expect(auth.authenticate(await token(), ['relay'])).rejects.toMatchObject({
      cause: { code: 'device-unknown' },
    });
    answer = () => ({ record, links: [] });
    await auth.authenticate(await token(), ['relay']);
  });

  it('is looked up each time, so that an unknown device takes as long as a known one', async () => {
    let reads = 0;
    const counted = async () => {
      reads += 1;
      return answer()?.record;
    };
    auth = new AgentAuth({ registry: { deviceRecord: counted }, clock: systemClock });
    for (const found of [undefined, { record, links: [] }]) {
      answer = () => found;
      reads = 0;
      for (let i = 0; i < 3; i += 1) {
        await auth.authenticate(await token(stranger), ['relay']).catch(() => undefined);
      }
      expect(reads).toBe(3);
    }
  });

  it('without a key of the device is told the same, whatever is known of the device', async () => {
    const next = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }).x;
    const states = [
      undefined,
      record,
      { ...record, nextKey: `ed25519:${next}` },
      { ...record, revokedAt: 5, revokedWhy: 'stolen' },
      { ...record, publicKey: 'issuer:https://i' },
      { ...record, publicKey: 'ed25519:x' },
    ];
    const good = await token(stranger);
    const [header, claims, signature] = good.split('.') as [string, string, string];
    const recoded = (more: object) =>
      Buffer.from(JSON.stringify({ alg: 'EdDSA', typ: 'JWT', ...more })).toString('base64url');
    const tries = [
      good,
      await token(stranger, 'elsewhere'),
      `${recoded({ crit: ['x'], x: 1 })}.${claims}.${signature}`,
      `${recoded({ typ: 'other' })}.${claims}.${signature}`,
      `${header}.${claims}.`,
      `${header}.${claims}.%`,
      `${header}.${claims}.${signature.slice(2)}`,
    ];
    for (const attempt of tries) {
      const told = new Set<string>();
      for (const known of states) {
        answer = () => known && { record: known, links: [] };
        auth.clear();
        const fault = await auth.authenticate(attempt, ['relay']).catch((error) => error);
        told.add(`${fault.code} ${fault.message}`);
      }
      expect([...told]).toEqual([expect.stringMatching(/^link-unauthenticated /)]);
    }
  });

  it('cannot speak for a device without a key by a key that everybody has', async () => {
    const d = 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A';
    const x = '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo';
    const rfc8037 = createPrivateKey({ key: { kty: 'OKP', crv: 'Ed25519', d, x }, format: 'jwk' });
    answer = () => ({ record: { ...record, publicKey: 'issuer:https://i' }, links: [] });
    await expect(auth.authenticate(await token(rfc8037), ['relay'])).rejects.toMatchObject({
      code: 'link-unauthenticated',
      cause: { code: 'signature-wrong' },
    });
  });

  it('of a revoked device is told so, and why; who has not its key is told nothing', async () => {
    answer = () => ({ record: { ...record, revokedAt: 5, revokedWhy: 'stolen' }, links: [] });
    await expect(auth.authenticate(await token(), ['relay'])).rejects.toMatchObject({
      code: 'device-revoked',
      status: 403,
      message: 'the device plant-7 was revoked: stolen',
    });
    const wrong = auth.authenticate(await token(stranger), ['relay']);
    await expect(wrong).rejects.toMatchObject({
      code: 'link-unauthenticated',
      cause: { code: 'signature-wrong' },
    });
  });

  it('may sign with the next key', async () => {
    const next = generateKeyPairSync('ed25519');
    const nextKey = `ed25519:${next.publicKey.export({ format: 'jwk' }).x}`;
    answer = () => ({ record: { ...record, nextKey }, links: [] });
    const { identity } = await auth.authenticate(await token(next.privateKey), ['relay']);
    expect(identity).toMatchObject({ signedBy: 'next-key', publicKey: nextKey });
  });

  it('of an issuer is let in for a device that is new, or the issuer’s already', async () => {
    const vouched = { issuer: 'https://i', device: 'plant-9', instance: 'a', labels: { x: '1' } };
    const issuers = { agent: async () => ({ ...vouched, expiresAt: 7 }) };
    const registry = { deviceRecord: async () => answer()?.record };
    const byIssuer = new AgentAuth({
      registry,
      clock: { ...systemClock, wall: () => wall },
      issuers,
    });
    const publicKey = 'issuer:https://i';
    answer = () => undefined;
    expect(await byIssuer.authenticate('t', ['relay'])).toEqual({
      identity: {
        ...{ device: 'plant-9', instance: 'a', keyId: 'https://i', publicKey },
        ...{ signedBy: 'issuer', tokenId: undefined, expiresAt: 7 },
      },
      record: { device: 'plant-9', publicKey, labels: { x: '1' }, createdAt: wall },
    });
    byIssuer.clear();
    const known = { device: 'plant-9', publicKey, labels: {}, createdAt: 3 };
    answer = () => ({ record: known, links: [] });
    expect((await byIssuer.authenticate('t', ['relay'])).record.createdAt).toBe(3);
    answer = () => ({ record: { ...known, revokedAt: 4 }, links: [] });
    await expect(byIssuer.authenticate('t', ['relay'])).rejects.toMatchObject({ status: 403 });
    answer = () => ({ record, links: [] });
    await expect(byIssuer.authenticate('t', ['relay'])).rejects.toMatchObject({
      code: 'link-unauthenticated',
    });
  });

  it('whose key in the registry is damaged is refused', async () => {
    answer = () => ({ record: { ...record, publicKey: 'ed25519:x' }, links: [] });
    await expect(auth.authenticate(await token(), ['relay'])).rejects.toMatchObject({
      cause: { code: 'signature-wrong' },
    });
  });

  it('is let in after the clock was set back, by a token that it makes then', async () => {
    const registry = { deviceRecord: async () => answer()?.record };
    const clock = { ...systemClock, wall: () => wall, monotonic: () => 0 };
    auth = new AgentAuth({ registry, clock, remembersSince: now });
    const before = await token();
    await auth.authenticate(before, ['relay']);
    wall = now - 5 * 3_600_000;
    const early = await token();
    wall += 2_000;
    // The first look after the step finds it; what was made before may have been used.
    await expect(auth.authenticate(early, ['relay'])).rejects.toMatchObject({
      cause: { code: 'token-replayed' },
    });
    expect(await auth.authenticate(await token(), ['relay'])).toMatchObject({ record });
    await expect(auth.authenticate(before, ['relay'])).rejects.toMatchObject({
      cause: { code: 'token-not-yet-valid' },
    });
  });

  it('is told to come again where the registry cannot be read', async () => {
    answer = () => {
      throw new RegistryError('unavailable', 'down');
    };
    await expect(auth.authenticate(await token(), ['relay'])).rejects.toMatchObject({
      code: 'registry-unavailable',
    });
  });
});
