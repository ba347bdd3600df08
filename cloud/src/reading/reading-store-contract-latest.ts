import { expect, it } from 'vitest';
import { dayMs } from './reading-limit.ts';
import { failed, reading } from './reading-sample.ts';
import {
  bodyOf,
  ownerOf,
  type ReadingBench,
  retentionDays,
} from './reading-store-contract-bench.ts';

const series = { source: 'metrics', path: '/metrics' };

export function latestContract(bench: () => ReadingBench): void {
  const latest = async (which: 'any' | 'answer' = 'any') =>
    (await bench().reader.latest(ownerOf('plant-7'), series, which))?.at;

  it('is none before one came', async () => {
    expect(await latest()).toBeUndefined();
  });

  it('is the newest of its batch, as a whole response', async () => {
    const { writer, reader } = bench();
    await writer.put('plant-7', [
      reading({ at: 1 }),
      reading({ at: 3, body: Buffer.alloc(10_000, 'z') }),
      reading({ at: 2 }),
    ]);
    const found = await reader.latest(ownerOf('plant-7'), series, 'answer');
    expect(found).toMatchObject({ at: 3, status: 200, headers: reading().headers, length: 10_000 });
    if (found === undefined) throw new Error('none was found');
    expect((await bodyOf(reader, found)).equals(Buffer.alloc(10_000, 'z'))).toBe(true);
  });

  it('stays where an older one comes later', async () => {
    await bench().writer.put('plant-7', [reading({ at: 10 })]);
    await bench().writer.put('plant-7', [reading({ at: 9 })]);
    expect([await latest(), await latest('answer')]).toEqual([10, 10]);
  });

  it.each([
    ['a fault', failed({ at: 11 })],
    ['an error of what is behind the device', reading({ at: 11, status: 503 })],
  ])('that is an answer stays behind %s', async (_, later) => {
    await bench().writer.put('plant-7', [reading({ at: 10 })]);
    await bench().writer.put('plant-7', [later]);
    expect([await latest(), await latest('answer')]).toEqual([11, 10]);
    await bench().writer.put('plant-7', [reading({ at: 12 })]);
    expect([await latest(), await latest('answer')]).toEqual([12, 12]);
  });

  it('is right where a fault came before the answers that are older than it', async () => {
    await bench().writer.put('plant-7', [failed({ at: 10 })]);
    expect([await latest(), await latest('answer')]).toEqual([10, undefined]);
    await bench().writer.put('plant-7', [
      reading({ at: 5 }),
      reading({ at: 6 }),
      failed({ at: 7 }),
    ]);
    expect([await latest(), await latest('answer')]).toEqual([10, 6]);
    await bench().writer.put('plant-7', [reading({ at: 4 })]);
    expect([await latest(), await latest('answer')]).toEqual([10, 6]);
  });

  it('is the same whichever of many batches is written first', async () => {
    const batches = Array.from({ length: 8 }, (_, at) => [
      reading({ at }),
      failed({ at: at + 20 }),
    ]);
    await Promise.all(batches.map((batch) => bench().writer.put('plant-7', batch)));
    expect([await latest(), await latest('answer')]).toEqual([27, 7]);
  });

  it('is that of exactly this source, path and query', async () => {
    const { writer, reader } = bench();
    await writer.put('plant-7', [
      reading({ at: 1 }),
      reading({ at: 2, query: '' }),
      reading({ at: 3, query: 'a' }),
      reading({ at: 4, path: '/metrics/' }),
      reading({ at: 5, source: 'other' }),
    ]);
    const found = [{}, { query: '' }, { query: 'a' }, { path: '/metrics/' }, { source: 'other' }];
    for (const [index, changes] of found.entries()) {
      expect((await reader.latest(ownerOf('plant-7'), { ...series, ...changes }))?.at).toBe(
        index + 1,
      );
    }
    expect(await reader.latest(ownerOf('plant-8'), series)).toBeUndefined();
  });

  it('is none any more when its time is over', async () => {
    await bench().writer.put('plant-7', [reading({ at: 1_000 })]);
    bench().now = 1_000 + retentionDays * dayMs;
    expect(await latest()).toBeUndefined();
  });
}
