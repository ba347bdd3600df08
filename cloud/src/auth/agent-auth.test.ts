import { generateKeyPairSync } from 'node:crypto';
import { systemClock } from '@pullwire/shared';
import { SignJWT } from 'jose';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Device } from '../registry/registry.ts';
import { RegistryError } from '../registry/registry-error.ts';
import { AgentAuth } from './agent-auth.ts';

const pair = generateKeyPairSync('ed25519');
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

function token(): Promise<string> {
  return new SignJWT({ inst: 'main' })
    .setProtectedHeader({ alg: 'EdDSA', typ: 'JWT' })
    .setSubject('plant-7')
    .setAudience('relay')
    .setJti('one')
    .setIssuedAt(wall / 1_000)
    .setExpirationTime(wall / 1_000 + 60)
    .sign(pair.privateKey);
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

  it('of a device that was just added is let in after a second, and at once after `clear`', async () => {
    answer = () => undefined;
    const refused = { cause: { code: 'device-unknown' } };
    await expect(auth.authenticate(await token(), ['relay'])).rejects.toMatchObject(refused);
    answer = () => ({ record, links: [] });
    await expect(auth.authenticate(await token(), ['relay'])).rejects.toMatchObject(refused);
    auth.clear();
    await auth.authenticate(await token(), ['relay']);
    answer = () => undefined;
    await expect(auth.authenticate(await token(), ['relay'])).rejects.toMatchObject(refused);
    answer = () => ({ record, links: [] });
    wall += 1_000;
    await auth.authenticate(await token(), ['relay']);
  });

  it('whose key in the registry is damaged is refused', async () => {
    answer = () => ({ record: { ...record, publicKey: 'ed25519:x' }, links: [] });
    await expect(auth.authenticate(await token(), ['relay'])).rejects.toMatchObject({
      cause: { code: 'device-unknown' },
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
