import { expect, it } from 'vitest';
import { bodyKey, pieceKey } from './reading-bodies.ts';
import { dayMs } from './reading-limit.ts';
import { reading } from './reading-sample.ts';
import { type ReadingBench, readRange, retentionDays } from './reading-store-contract-bench.ts';
import { sweepReadings } from './sweep-readings.ts';

export function sweepContract(bench: () => ReadingBench): void {
  const sweep = () => sweepReadings({ ...bench(), retentionDays });
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
    expect(await reader.latest('plant-8', reading())).toBeUndefined();
  });

  it('removes pieces whose last one never came', async () => {
    const { writer, bodies, readingTable } = bench();
    const place = { at: 1_000, schedule: 'large', index: 0, of: 3 };
    for (const index of [0, 1])
      await writer.putPiece('plant-9', { ...place, index }, Buffer.from('x'));
    bench().now = 1_000 + retentionDays * dayMs;
    expect(await sweep()).toBe(0);
    bench().now += 1;
    expect(await sweep()).toBe(2);
    expect(await readingTable.pieces('plant-9', place)).toEqual([]);
    await expect(bodies.open(pieceKey('plant-9', place))).rejects.toEqual(gone);
    expect((await readingTable.devices()).items).toEqual([]);
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
