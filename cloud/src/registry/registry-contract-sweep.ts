import { beforeEach, expect, it } from 'vitest';
import type { LinkRecord, Registry } from './registry.ts';
import { enrolCode, key, link, profile } from './registry-sample.ts';

export function sweepContract(registry: () => Registry): void {
  beforeEach(async () => {
    await registry().addDevice(profile);
  });

  const instances = async () =>
    (await registry().device('plant-7'))?.links.map((l) => l.instance).sort();

  it('removes links that ended before the given time, and expired ones', async () => {
    const open = (instance: string, changes: Partial<LinkRecord> = {}) =>
      registry().openLink(link({ instance, connectionId: instance, ...changes }));
    await open('ended-early');
    await open('ended-late');
    await open('open');
    await open('expired', { expiresAt: 99 });
    await registry().closeLink('plant-7', 'ended-early', 'ended-early', { at: 99_999, why: 'x' });
    await registry().closeLink('plant-7', 'ended-late', 'ended-late', { at: 100_000, why: 'x' });
    expect(await registry().sweep({ closedBefore: 100_000, limit: 100 })).toBe(2);
    expect(await instances()).toEqual(['ended-late', 'open']);
    expect((await registry().device('plant-7'))?.record).toEqual(profile);
  });

  it('removes expired keys, and keeps the others', async () => {
    await registry().addKey(key({ id: 'k1', hash: 'h1', expiresAt: 99 }));
    await registry().addKey(key({ id: 'k2', hash: 'h2', expiresAt: 100 }));
    await registry().addKey(key({ id: 'k3', hash: 'h3' }));
    expect(await registry().sweep({ closedBefore: 100_000, limit: 100 })).toBe(1);
    const left = await registry().keys({ limit: 10 });
    expect(left.items.map((k) => k.id)).toEqual(['k2', 'k3']);
  });

  it('removes expired enrolment codes, spent or not, and none that is still good', async () => {
    const use = { device: 'plant-7', publicKey: 'ed25519:AAAA', at: 1_000 };
    const add = (id: string, expiresAt: number) =>
      registry().addEnrolCode(enrolCode({ id, hash: id, expiresAt }));
    await add('c1', 99);
    await add('c2', 99);
    await add('c3', 100);
    await add('c4', 100);
    for (const hash of ['c2', 'c4']) await registry().spendEnrolCode(hash, use);
    await registry().finishEnrolCode('c4', 2_000);
    expect(await registry().sweep({ closedBefore: 100_000, limit: 100 })).toBe(2);
    const left = await registry().enrolCodes({ limit: 10 });
    expect(left.items.map((code) => code.id)).toEqual(['c3', 'c4']);
    expect(await registry().spendEnrolCode('c3', { ...use, at: 99_999 })).toBe(true);
  });

  it('removes spent tokens long after they ran out, and none that is still valid', async () => {
    await registry().spendToken('plant-7', 'early', 1_000);
    await registry().spendToken('plant-7', 'late', 100_000);
    expect(await registry().sweep({ closedBefore: 1_001_000, limit: 100 })).toBe(0);
    expect(await registry().sweep({ closedBefore: 100_000_000, limit: 100 })).toBe(1);
    expect(await registry().spendToken('plant-7', 'late', 100_000)).toBe(false);
    expect(await registry().spendToken('plant-7', 'early', 1_000)).toBe(true);
  });

  it('leaves devices alone, revoked ones too', async () => {
    await registry().revokeDevice('plant-7', { at: 1, why: 'x' });
    expect(await registry().sweep({ closedBefore: 100_000, limit: 100 })).toBe(0);
    expect((await registry().deviceRecord('plant-7'))?.revokedAt).toBe(1);
  });

  it('removes no more than the limit at a time', async () => {
    for (const instance of ['a', 'b', 'c']) {
      await registry().openLink(link({ instance, connectionId: instance }));
      await registry().closeLink('plant-7', instance, instance, { at: 1, why: 'x' });
    }
    expect(await registry().sweep({ closedBefore: 2, limit: 2 })).toBe(2);
    expect(await registry().sweep({ closedBefore: 2, limit: 2 })).toBe(1);
    expect(await instances()).toEqual([]);
  });
}
