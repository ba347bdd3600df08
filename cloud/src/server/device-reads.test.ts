import { describe, expect, test } from 'vitest';
import type { DeviceRecord } from '../registry/registry.ts';
import { DeviceReads } from './device-reads.ts';

const record = (device: string): DeviceRecord => ({
  device,
  publicKey: 'ed25519:AAAA',
  labels: {},
  createdAt: 1,
});

/** A registry whose reads end when the test says so. */
function bench() {
  const reads: { readonly ids: readonly string[]; answer(): void; fail(error: Error): void }[] = [];
  let begun = Promise.withResolvers<void>();
  const devices = new DeviceReads({
    deviceRecords: (ids) => {
      const { promise, resolve, reject } = Promise.withResolvers<readonly DeviceRecord[]>();
      const known = ids.filter((id) => id !== 'stranger').map(record);
      reads.push({ ids, answer: () => resolve(known), fail: reject });
      begun.resolve();
      begun = Promise.withResolvers();
      return promise;
    },
  });
  return { devices, reads, begun: () => begun.promise };
}

describe('device reads', () => {
  test('look-ups of one turn are one read, and each gets its own device', async () => {
    const b = bench();
    const begun = b.begun();
    const found = ['plant-1', 'stranger', 'plant-2', 'plant-1'].map((id) =>
      b.devices.deviceRecord(id),
    );
    await begun;
    expect(b.reads.map(({ ids }) => ids)).toEqual([['plant-1', 'stranger', 'plant-2']]);
    b.reads[0]?.answer();
    const one = record('plant-1');
    expect(await Promise.all(found)).toEqual([one, undefined, record('plant-2'), one]);
  });

  test('a look-up never joins a read that has begun: what that brings may be older', async () => {
    const b = bench();
    let begun = b.begun();
    const first = b.devices.deviceRecord('plant-1');
    await begun;
    begun = b.begun();
    const second = b.devices.deviceRecord('plant-1');
    await begun;
    expect(b.reads).toHaveLength(2);
    for (const read of b.reads) read.answer();
    expect(await Promise.all([first, second])).toEqual([record('plant-1'), record('plant-1')]);
  });

  test('a hundred are read at a time, in two reads; the others wait', async () => {
    const b = bench();
    let begun = b.begun();
    const found = Array.from({ length: 250 }, (_, n) => b.devices.deviceRecord(`plant-${n}`));
    await begun;
    expect(b.reads.map(({ ids }) => ids.length)).toEqual([100, 100]);
    begun = b.begun();
    b.reads[0]?.answer();
    await begun;
    expect(b.reads.map(({ ids }) => ids.length)).toEqual([100, 100, 50]);
    for (const read of b.reads) read.answer();
    expect((await Promise.all(found)).map((device) => device?.device)).toEqual(
      Array.from({ length: 250 }, (_, n) => `plant-${n}`),
    );
  });

  test('a read that fails fails its look-ups only', async () => {
    const b = bench();
    const begun = b.begun();
    const found = Array.from({ length: 101 }, (_, n) => b.devices.deviceRecord(`plant-${n}`));
    await begun;
    const settled = Promise.allSettled(found);
    b.reads[0]?.fail(new Error('down'));
    b.reads[1]?.answer();
    const failed = (await settled).filter(({ status }) => status === 'rejected');
    expect(failed).toHaveLength(100);
    const again = b.begun();
    const later = b.devices.deviceRecord('plant-0');
    await again;
    b.reads[2]?.answer();
    expect(await later).toEqual(record('plant-0'));
  });
});
