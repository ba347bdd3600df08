import { beforeEach, expect, it } from 'vitest';
import type { Registry } from './registry.ts';
import { profile } from './registry-sample.ts';

const current = profile.publicKey;
const next = 'ed25519:NEXT';
const later = 'ed25519:LATER';

export function rotationContract(registry: () => Registry): void {
  const record = () => registry().deviceRecord('plant-7');
  const offer = (from: string, to: string) => registry().offerKey('plant-7', from, to);
  const promote = (to: string) => registry().promoteKey('plant-7', to);
  const revoke = () => registry().revokeDevice('plant-7', { at: 7_000, why: 'x' });
  beforeEach(async () => {
    await registry().addDevice(profile);
  });

  it('notes that a rotation is asked for, the last time that it was', async () => {
    expect(await registry().askRotation('plant-7', 6_000)).toBe(true);
    expect(await registry().askRotation('plant-7', 7_000)).toBe(true);
    expect(await record()).toEqual({ ...profile, rotationAskedAt: 7_000 });
  });

  it('takes the next key with its first use, and the rotation is answered', async () => {
    await registry().askRotation('plant-7', 6_000);
    expect(await offer(current, next)).toBe(true);
    expect(await record()).toEqual({ ...profile, nextKey: next, rotationAskedAt: 6_000 });
    expect(await promote(next)).toBe(true);
    expect(await record()).toEqual({ ...profile, publicKey: next });
  });

  it('takes the last of the keys that were offered, and the same offer again', async () => {
    expect(await offer(current, next)).toBe(true);
    expect(await offer(current, later)).toBe(true);
    expect(await offer(current, later)).toBe(true);
    expect(await promote(next)).toBe(false);
    expect((await record())?.publicKey).toBe(current);
    expect(await promote(later)).toBe(true);
  });

  it('takes no offer in the name of a key that is not the current one', async () => {
    expect(await offer('ed25519:OTHER', next)).toBe(false);
    expect(await record()).toEqual(profile);
    await offer(current, next);
    expect(await offer(next, later)).toBe(false);
    await promote(next);
    expect(await offer(current, later)).toBe(false);
    expect(await record()).toEqual({ ...profile, publicKey: next });
  });

  it('promotes no key that was not offered', async () => {
    expect(await promote(next)).toBe(false);
    expect(await record()).toEqual(profile);
  });

  it('promotes twice as once, and loses nothing that was said in between', async () => {
    await offer(current, next);
    await promote(next);
    await registry().askRotation('plant-7', 8_000);
    await offer(next, later);
    expect(await promote(next)).toBe(true);
    const between = { ...profile, publicKey: next, nextKey: later, rotationAskedAt: 8_000 };
    expect(await record()).toEqual(between);
    expect(await promote(later)).toBe(true);
    expect(await promote(next)).toBe(false);
  });

  it('changes nothing of a revoked device', async () => {
    await offer(current, next);
    await revoke();
    const before = await record();
    expect(await registry().askRotation('plant-7', 8_000)).toBe(false);
    expect(await offer(current, later)).toBe(false);
    expect(await promote(next)).toBe(false);
    expect(await promote(current)).toBe(false);
    expect(await record()).toEqual(before);
  });

  it('changes nothing of a device that is not known, and makes none by that', async () => {
    expect(await registry().askRotation('plant-8', 8_000)).toBe(false);
    expect(await registry().offerKey('plant-8', current, next)).toBe(false);
    expect(await registry().promoteKey('plant-8', next)).toBe(false);
    expect(await registry().deviceRecord('plant-8')).toBeUndefined();
  });

  it('keeps a rotation where the operator adds the device again with other labels', async () => {
    await registry().askRotation('plant-7', 6_000);
    await offer(current, next);
    const labels = { site: 'south' };
    await registry().addDevice({ ...profile, labels });
    expect(await record()).toEqual({
      ...profile,
      labels,
      nextKey: next,
      rotationAskedAt: 6_000,
    });
  });

  it('says yes to all of 50 first uses of the next key at once', async () => {
    await offer(current, next);
    const answers = await Promise.all(Array.from({ length: 50 }, () => promote(next)));
    expect(answers.every(Boolean)).toBe(true);
    expect(await record()).toEqual({ ...profile, publicKey: next });
  });

  it('promotes or replaces the next key, never both, where a use and an offer race', async () => {
    for (let n = 0; n < 20; n += 1) {
      await registry().replaceDevice(profile);
      await offer(current, next);
      const [promoted, offered] = await Promise.all([promote(next), offer(current, later)]);
      expect(promoted).not.toBe(offered);
      expect(await record()).toEqual(
        promoted ? { ...profile, publicKey: next } : { ...profile, nextKey: later },
      );
    }
  });

  it('ends revoked where a first use and a revocation race', async () => {
    for (let n = 0; n < 20; n += 1) {
      await registry().replaceDevice(profile);
      await offer(current, next);
      const [promoted, revoked] = await Promise.all([promote(next), revoke()]);
      expect(revoked).toBe(true);
      const publicKey = promoted ? next : current;
      expect(await record()).toMatchObject({ publicKey, revokedAt: 7_000 });
    }
  });
}
