import { expect, it } from 'vitest';
import type { DeviceRecord, Registry } from './registry.ts';
import { link, profile } from './registry-sample.ts';

const end = { at: 7_000, why: 'stolen' };
const revoked = { ...profile, revokedAt: 7_000, revokedWhy: 'stolen' };

export function revocationContract(registry: () => Registry): void {
  const record = () => registry().deviceRecord('plant-7');

  it('revokes a device once, which stays known with its links', async () => {
    await registry().addDevice(profile);
    await registry().openLink(link());
    expect(await registry().revokeDevice('plant-7', end)).toBe(true);
    expect(await registry().revokeDevice('plant-7', { at: 8_000, why: 'again' })).toBe(false);
    expect(await registry().device('plant-7')).toEqual({ record: revoked, links: [link()] });
    expect((await registry().devices({ limit: 1 })).items).toEqual([
      { record: revoked, links: [link()] },
    ]);
    expect(await record()).toEqual(revoked);
  });

  it('revokes no device that is not known, and makes none by that', async () => {
    await registry().openLink(link());
    expect(await registry().revokeDevice('plant-7', end)).toBe(false);
    expect(await record()).toBeUndefined();
  });

  it.each([
    ['with its key', profile],
    ['with another key', { ...profile, publicKey: 'ed25519:BBBB' }],
  ])('refuses to add a revoked device %s, and says what to do', async (_, again) => {
    await registry().addDevice(profile);
    await registry().revokeDevice('plant-7', end);
    await expect(registry().addDevice(again)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(/plant-7 was revoked: remove it first, .*--replace/),
    });
    expect(await record()).toEqual(revoked);
  });

  it('says of a device with another key what to do', async () => {
    await registry().addDevice(profile);
    const other = registry().addDevice({ ...profile, publicKey: 'ed25519:BBBB' });
    await expect(other).rejects.toMatchObject({
      message: expect.stringMatching(/known with another key: remove it first, .*--replace/),
    });
  });

  it('takes a revoked device as a new one once it was removed', async () => {
    await registry().addDevice(profile);
    await registry().revokeDevice('plant-7', end);
    await registry().removeDevice('plant-7');
    expect(await registry().addDevice({ ...profile, createdAt: 9_000 })).toBe('added');
    expect(await record()).toEqual({ ...profile, createdAt: 9_000 });
  });

  it('makes a device known by replacing what was not there', async () => {
    expect(await registry().replaceDevice(profile)).toBe('added');
    expect(await record()).toEqual(profile);
    expect((await registry().devices({ limit: 1 })).items).toEqual([
      { record: profile, links: [] },
    ]);
  });

  it('replaces key and labels, and forgets a rotation and a revocation but not the date', async () => {
    await registry().addDevice(profile);
    await registry().askRotation('plant-7', 6_000);
    await registry().offerKey('plant-7', profile.publicKey, 'ed25519:NEXT');
    await registry().revokeDevice('plant-7', end);
    const after = { ...profile, publicKey: 'ed25519:BBBB', labels: { site: 'south' } };
    expect(await registry().replaceDevice({ ...after, createdAt: 9_000 })).toBe('known');
    expect(await record()).toEqual(after);
  });

  it('leaves nothing half done where a device is replaced and revoked at the same time', async () => {
    const after = { ...profile, publicKey: 'ed25519:BBBB' };
    const ends: (DeviceRecord | undefined)[] = [after, { ...revoked, publicKey: 'ed25519:BBBB' }];
    for (let n = 0; n < 20; n += 1) {
      await registry().replaceDevice(profile);
      await Promise.all([registry().replaceDevice(after), registry().revokeDevice('plant-7', end)]);
      expect(ends).toContainEqual(await record());
    }
  });
}
