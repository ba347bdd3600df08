import { beforeEach, expect, it } from 'vitest';
import type { StoredReading } from './reading.ts';
import { bodyKey, pieceKey } from './reading-bodies.ts';
import { dayMs } from './reading-limit.ts';
import { reading } from './reading-sample.ts';
import {
  bodyOf,
  ownerOf,
  type ReadingBench,
  readRange,
  retentionDays,
} from './reading-store-contract-bench.ts';
import { type ReadingSweep, sweepReadings } from './sweep-readings.ts';

export function sweepContract(bench: () => ReadingBench): void {
  let known: (device: string) => boolean;
  beforeEach(() => {
    known = () => true;
  });
  const record = (device: string) => ({ device, publicKey: '', labels: {}, createdAt: 0 });
  const registry: ReadingSweep['registry'] = {
    deviceRecord: async (device) => (known(device) ? record(device) : undefined),
    deviceRecords: async (devices) => devices.filter((device) => known(device)).map(record),
  };
  const sweep = () => sweepReadings({ ...bench(), registry, retentionDays, limit: 200_000 });
  const gone = expect.objectContaining({ code: 'missing' });

  it('removes readings whose time is over, with their bodies, and keeps the others', async () => {
    const { writer, reader, bodies } = bench();
    const old = { at: 1_000, schedule: 'old' };
    await writer.put('plant-7', [
      reading({ ...old, body: Buffer.alloc(10_000) }),
      reading({ at: 1_001 }),
      reading({ at: 2_000, body: Buffer.alloc(10_000) }),
    ]);
    await writer.put('plant-8', [reading({ at: 5 })]);
    bench().now = 2_000 + retentionDays * dayMs;
    expect(await sweep()).toBe(3);
    expect(await sweep()).toBe(0);
    await expect(bodies.open(bodyKey('plant-7', old))).rejects.toEqual(gone);
    const kept = await bodies.open(bodyKey('plant-7', { at: 2_000, schedule: 'every-minute' }));
    expect(kept.length).toBe(10_000);
    for await (const _ of kept.body); // a body that is opened is read
    bench().now = 2_000;
    expect((await readRange(reader)).map(({ at }) => at)).toEqual([2_000]);
    expect(await reader.latest(ownerOf('plant-8'), reading())).toBeUndefined();
  });

  it('removes pieces whose last one never came', async () => {
    const { writer, bodies, readingTable } = bench();
    const place = { at: 1_000, schedule: 'large', index: 0, of: 3 };
    for (const index of [0, 1])
      await writer.putPiece('plant-9', { ...place, index }, Buffer.from('x'));
    bench().now += dayMs;
    expect(await sweep()).toBe(0);
    // Hours are not told apart.
    bench().now += 3_600_000;
    expect(await sweep()).toBe(2);
    expect(await readingTable.pieces('plant-9', place)).toEqual([]);
    await expect(bodies.open(pieceKey('plant-9', place))).rejects.toEqual(gone);
    expect((await readingTable.devices()).items).toEqual([]);
  });

  it('finds pieces of which not even the first came, and leaves those that still come', async () => {
    const { writer, readingTable } = bench();
    const place = { at: 1_000, schedule: 'large', index: 1, of: 3 };
    await writer.putPiece('plant-9', place, Buffer.from('x'));
    bench().now += dayMs;
    await writer.putPiece('plant-9', { ...place, at: 2_000 }, Buffer.from('x'));
    bench().now += 3_600_000;
    expect(await sweep()).toBe(1);
    expect(await readingTable.pieces('plant-9', { ...place, at: 2_000 })).toHaveLength(1);
  });

  it('leaves the pieces of a reading that is whole, also of which one came once more', async () => {
    const { writer, reader, readingTable } = bench();
    const time = { at: 1_000, schedule: 'large' };
    const first = { ...time, index: 0, of: 2 };
    const { body: _body, ...head } = reading(time);
    await writer.putPiece('plant-9', first, Buffer.from('a whole '));
    await writer.putLastPiece('plant-9', head, { ...first, index: 1 }, Buffer.from('body'));
    expect(await readingTable.openReadings('plant-9', Number.MAX_SAFE_INTEGER, 10)).toEqual([]);
    await writer.putPiece('plant-9', first, Buffer.from('a whole '));
    bench().now += 2 * dayMs;
    expect(await sweep()).toBe(0);
    const [found] = await readRange(reader, { device: 'plant-9' });
    expect(String(await bodyOf(reader, found as StoredReading))).toBe('a whole body');
    expect(await readingTable.openReadings('plant-9', Number.MAX_SAFE_INTEGER, 10)).toEqual([]);
    bench().now = 1_001 + retentionDays * dayMs;
    expect(await sweep()).toBe(3);
    expect((await readingTable.devices()).items).toEqual([]);
  });

  it('removes all of a device that is not known any more, and nothing of others', async () => {
    const { writer, reader, bodies, readingTable } = bench();
    const many = Array.from({ length: 130 }, (_, at) => reading({ at, path: `/${at % 3}` }));
    const large = reading({ at: 500, schedule: 'large', body: Buffer.alloc(10_000) });
    const place = { at: 1_000, schedule: 'open', index: 0, of: 3 };
    for (const device of ['plant-7', 'plant-7:a']) {
      await writer.put(device, [...many, large]);
      await writer.putPiece(device, place, Buffer.from('x'));
      await readingTable.replaceQuotaLevel(device, undefined, { bytes: 1, at: bench().now });
    }
    known = (device) => device !== 'plant-7';
    expect(await sweep()).toBe(132);
    expect(await sweep()).toBe(0);
    expect(await readRange(reader)).toEqual([]);
    expect(await reader.latest(ownerOf('plant-7'), reading({ path: '/0' }))).toBeUndefined();
    expect(await readingTable.quotaLevel('plant-7')).toBeUndefined();
    for (const key of [bodyKey('plant-7', large), pieceKey('plant-7', place)]) {
      await expect(bodies.open(key)).rejects.toEqual(gone);
    }
    expect(await readRange(reader, { device: 'plant-7:a' })).toHaveLength(131);
    expect((await readingTable.devices()).items).toEqual(['plant-7:a']);
  });

  it('leaves what comes of a device that is added again meanwhile', async () => {
    const { writer, reader } = bench();
    await writer.put(
      'plant-7',
      Array.from({ length: 250 }, (_, at) => reading({ at })),
    );
    let asked = 0;
    known = () => {
      asked += 1;
      return asked > 3;
    };
    expect(await sweep()).toBe(200);
    expect(await readRange(reader)).toHaveLength(50);
  });

  it('goes on where the sweep before had done enough', async () => {
    const { writer, reader } = bench();
    await writer.put(
      'plant-7',
      Array.from({ length: 250 }, (_, at) => reading({ at })),
    );
    known = () => false;
    const some = () =>
      sweepReadings({ ...bench(), registry, retentionDays: undefined, limit: 200 });
    expect(await some()).toBe(200);
    expect(await some()).toBe(50);
    expect(await readRange(reader)).toEqual([]);
  });

  it('goes through many devices with many readings', async () => {
    const { writer } = bench();
    const devices = Array.from({ length: 12 }, (_, at) => `plant-${at}`);
    for (const device of devices) {
      const series = Array.from({ length: 25 }, (_, at) => reading({ at, path: `/${at}` }));
      await writer.put(device, series);
    }
    await writer.put(
      'plant-0',
      Array.from({ length: 230 }, (_, at) => reading({ at: at + 100 })),
    );
    bench().now = 1_000 + retentionDays * dayMs;
    expect(await sweep()).toBe(12 * 25 + 230);
    expect((await bench().readingTable.devices()).items).toEqual([]);
  });
}
