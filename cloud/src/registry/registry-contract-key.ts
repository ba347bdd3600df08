import { beforeEach, expect, it } from 'vitest';
import type { KeyRecord, LinkRecord, Registry } from './registry.ts';
import { eachItem } from './registry-pages.ts';
import { key, link, profile } from './registry-sample.ts';

export function keyContract(registry: () => Registry): void {
  it('reads back a key by its hash', async () => {
    const record = key({ expiresAt: 2_000_000_000 });
    await registry().addKey(record);
    expect(await registry().keyByHash(record.hash)).toEqual(record);
    expect(await registry().keyByHash('another')).toBeUndefined();
  });

  it('refuses a second key of the same id, and takes the same record again', async () => {
    await registry().addKey(key());
    await registry().addKey(key());
    const second = registry().addKey(key({ hash: 'another' }));
    await expect(second).rejects.toMatchObject({ code: 'conflict' });
    expect(await registry().keyByHash('another')).toBeUndefined();
  });

  it('revokes a key by its id, once', async () => {
    await registry().addKey(key());
    expect(await registry().revokeKey('abc123', 7_000)).toBe(true);
    expect(await registry().revokeKey('abc123', 8_000)).toBe(false);
    expect(await registry().revokeKey('nobody', 8_000)).toBe(false);
    expect(await registry().keyByHash('hash-of-abc123')).toEqual(key({ revokedAt: 7_000 }));
  });

  it('lists keys page by page in the order of their ids, revoked ones too', async () => {
    for (const id of ['k3', 'k1', 'k2']) await registry().addKey(key({ id, hash: `hash-${id}` }));
    await registry().revokeKey('k2', 7_000);
    const listed: KeyRecord[] = [];
    const read = (after?: string) => registry().keys({ limit: 2, ...(after ? { after } : {}) });
    for await (const record of eachItem(read)) listed.push(record);
    expect(listed.map((k) => [k.id, k.revokedAt])).toEqual([
      ['k1', undefined],
      ['k2', 7_000],
      ['k3', undefined],
    ]);
  });
}

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
