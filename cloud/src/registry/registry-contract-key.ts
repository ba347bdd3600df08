import { expect, it } from 'vitest';
import type { Grant, KeyRecord, Registry } from './registry.ts';
import { eachItem } from './registry-pages.ts';
import { key } from './registry-sample.ts';

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

  it('does not put a revoked key into force by adding it again', async () => {
    await registry().addKey(key());
    await registry().revokeKey('abc123', 7_000);
    await expect(registry().addKey(key())).rejects.toMatchObject({ code: 'conflict' });
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

  it('notes the last use of a key, and no earlier one', async () => {
    await registry().addKey(key());
    await registry().noteKeyUse('hash-of-abc123', 9_999);
    await registry().noteKeyUse('hash-of-abc123', 10_000);
    await registry().noteKeyUse('hash-of-abc123', 9_998);
    expect(await registry().keyByHash('hash-of-abc123')).toEqual(key({ lastUsedAt: 10_000 }));
    expect((await registry().keys({ limit: 1 })).items).toEqual([key({ lastUsedAt: 10_000 })]);
  });

  it('notes the latest of uses that race', async () => {
    await registry().addKey(key());
    const times = Array.from({ length: 20 }, (_, n) => 10_000 + ((n * 7) % 20));
    await Promise.all(times.map((at) => registry().noteKeyUse('hash-of-abc123', at)));
    expect((await registry().keyByHash('hash-of-abc123'))?.lastUsedAt).toBe(10_019);
  });

  it('makes no key by noting the use of one that is gone', async () => {
    await registry().noteKeyUse('another', 9_000);
    expect(await registry().keyByHash('another')).toBeUndefined();
  });
}

const before = key().grants;
const added: Grant = { devices: ['lab-1'], sources: ['log'], methods: ['*'], until: 2_000_000_000 };
const after: readonly Grant[] = [...before, added];

export function grantContract(registry: () => Registry): void {
  const grants = async () => (await registry().keyByHash('hash-of-abc123'))?.grants;

  it('reads back grants with every part as they were written', async () => {
    const full = [{ ...added, labels: { site: 'north' }, manage: true }, added];
    await registry().addKey(key({ grants: full }));
    expect(await grants()).toEqual(full);
  });

  it('gives a key other grants in place of those that it had', async () => {
    await registry().addKey(key());
    expect(await registry().changeGrants('abc123', before, after)).toBe(true);
    expect(await registry().keyByHash('hash-of-abc123')).toEqual(key({ grants: after }));
    expect(await registry().changeGrants('abc123', after, [])).toBe(true);
    expect(await grants()).toEqual([]);
  });

  it('changes no grants that are others by now', async () => {
    await registry().addKey(key());
    expect(await registry().changeGrants('abc123', after, [])).toBe(false);
    expect(await grants()).toEqual(before);
  });

  it('knows grants again whatever the order of their parts', async () => {
    const turned = before.map(({ devices, ...others }) => ({ ...others, devices }));
    await registry().addKey(key({ grants: turned }));
    expect(await registry().changeGrants('abc123', (await grants()) ?? [], after)).toBe(true);
    expect(await grants()).toEqual(after);
  });

  it('changes no grants of a revoked key or one that nobody made', async () => {
    await registry().addKey(key());
    await registry().revokeKey('abc123', 7_000);
    expect(await registry().changeGrants('abc123', before, after)).toBe(false);
    expect(await registry().changeGrants('nobody', before, after)).toBe(false);
    expect(await grants()).toEqual(before);
  });

  it('takes exactly one of the changes that race', async () => {
    await registry().addKey(key());
    const wanted = Array.from({ length: 20 }, (_, n) => [{ ...added, until: n }]);
    const taken = await Promise.all(
      wanted.map((grants) => registry().changeGrants('abc123', before, grants)),
    );
    expect(taken.filter(Boolean)).toHaveLength(1);
    expect(await grants()).toEqual(wanted[taken.indexOf(true)]);
  });
}
