import { beforeEach, describe, expect, it } from 'vitest';
import type { Device, Registry } from './registry.ts';
import { revocationContract } from './registry-contract-device.ts';
import { enrolCodeContract } from './registry-contract-enrol.ts';
import { grantContract, keyContract } from './registry-contract-key.ts';
import { linkContract } from './registry-contract-link.ts';
import { type OrderExtent, orderContract } from './registry-contract-order.ts';
import { rotationContract } from './registry-contract-rotation.ts';
import { sweepContract } from './registry-contract-sweep.ts';
import { spentTokenContract } from './registry-contract-token.ts';
import { eachItem } from './registry-pages.ts';
import { link, profile } from './registry-sample.ts';

/** What every registry does, whatever keeps it. `fresh` gives one that is empty and has its schema. */
export function registryContract(
  name: string,
  fresh: () => Promise<Registry>,
  orders: OrderExtent,
): void {
  describe(`${name} keeps the contract of a registry`, () => {
    let registry: Registry;
    beforeEach(async () => {
      registry = await fresh();
    });
    describe('devices', () => deviceContract(() => registry));
    describe('links', () => linkContract(() => registry));
    describe('the order of events', () => orderContract(() => registry, orders));
    describe('revoked and replaced devices', () => revocationContract(() => registry));
    describe('rotation', () => rotationContract(() => registry));
    describe('spent tokens', () => spentTokenContract(() => registry));
    describe('caller keys', () => keyContract(() => registry));
    describe('grants', () => grantContract(() => registry));
    describe('enrolment codes', () => enrolCodeContract(() => registry));
    describe('sweep', () => sweepContract(() => registry));
  });
}

function deviceContract(registry: () => Registry): void {
  it('reads back a device as it was added', async () => {
    expect(await registry().addDevice(profile)).toBe('added');
    expect(await registry().device('plant-7')).toEqual({ record: profile, links: [] });
    expect(await registry().deviceRecord('plant-7')).toEqual(profile);
  });

  it('knows no device that was not added', async () => {
    expect(await registry().device('plant-7')).toBeUndefined();
    expect(await registry().deviceRecord('plant-7')).toBeUndefined();
  });

  it('reads many devices at once, and leaves out those that it does not know', async () => {
    const devices = Array.from({ length: 120 }, (_, n) => ({ ...profile, device: `plant-${n}` }));
    for (const device of devices) await registry().addDevice(device);
    const ids = ['stranger', ...devices.map(({ device }) => device)];
    const found = await registry().deviceRecords(ids);
    expect(new Set(found)).toEqual(new Set(devices));
    expect(found).toHaveLength(120);
    expect(await registry().deviceRecords([])).toEqual([]);
  });

  it('takes a device again with the same key, with new labels and its old date', async () => {
    await registry().addDevice(profile);
    const again = { ...profile, labels: { site: 'south' }, createdAt: 2_000 };
    expect(await registry().addDevice(again)).toBe('known');
    const device = await registry().device('plant-7');
    expect(device?.record).toEqual({ ...again, createdAt: 1_000 });
  });

  it('refuses a device that is known with another key, and changes nothing', async () => {
    await registry().addDevice(profile);
    const other = { ...profile, publicKey: 'ed25519:BBBB', labels: {} };
    await expect(registry().addDevice(other)).rejects.toMatchObject({ code: 'conflict' });
    expect((await registry().device('plant-7'))?.record).toEqual(profile);
  });

  it('forgets a removed device with its links', async () => {
    await registry().addDevice(profile);
    await registry().openLink(link());
    await registry().openLink(link({ instance: 'spare' }));
    expect(await registry().removeDevice('plant-7')).toBe(true);
    expect(await registry().device('plant-7')).toBeUndefined();
    await registry().addDevice(profile);
    expect(await registry().device('plant-7')).toEqual({ record: profile, links: [] });
    expect(await registry().removeDevice('plant-8')).toBe(false);
  });

  it('does not show links of a device that is not known', async () => {
    await registry().openLink(link());
    expect(await registry().device('plant-7')).toBeUndefined();
    expect((await registry().devices({ limit: 10 })).items).toEqual([]);
  });

  it('lists devices with their links page by page, in the order of their ids', async () => {
    const ids = ['A', 'a', 'a-1', 'a.1', 'a1', 'a:1', 'a_1', 'b'];
    for (const device of ids.toReversed()) {
      await registry().addDevice({ ...profile, device });
      await registry().openLink(link({ device, instance: 'z' }));
      await registry().openLink(link({ device, instance: 'M' }));
    }
    const pages: number[] = [];
    const listed: Device[] = [];
    const read = async (after?: string) => {
      const page = await registry().devices({ limit: 3, ...(after ? { after } : {}) });
      pages.push(page.items.length);
      return page;
    };
    for await (const device of eachItem(read)) listed.push(device);
    expect(listed.map((device) => device.record.device)).toEqual(ids.toSorted());
    for (const { record, links } of listed) {
      expect(links.map((l) => [l.device, l.instance]).sort()).toEqual([
        [record.device, 'M'],
        [record.device, 'z'],
      ]);
    }
    expect(Math.max(...pages)).toBe(3);
  });

  it.each([
    ['', ['a', 'b']],
    ['a', ['b']],
    ['aa', ['b']],
    ['a\u0000é', ['b']],
    ['a'.repeat(10_000), ['b']],
    ['~', []],
  ])('goes on after any text that a caller may send (%.10j)', async (after, expected) => {
    for (const device of ['a', 'b']) await registry().addDevice({ ...profile, device });
    const { items } = await registry().devices({ after, limit: 10 });
    expect(items.map((device) => device.record.device)).toEqual(expected);
  });
}
