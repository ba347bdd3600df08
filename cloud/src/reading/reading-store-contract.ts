import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import type { StoredReading } from './reading.ts';
import { bodyKey } from './reading-bodies.ts';
import { dayMs } from './reading-limit.ts';
import type { ReadingPlace } from './reading-place.ts';
import { ReadingReader } from './reading-reader.ts';
import { failed, reading } from './reading-sample.ts';
import {
  bodyOf,
  type ReadingBench,
  readRange,
  retentionDays,
} from './reading-store-contract-bench.ts';
import { latestContract } from './reading-store-contract-latest.ts';
import { pieceContract } from './reading-store-contract-piece.ts';
import { quotaContract } from './reading-store-contract-quota.ts';
import { sweepContract } from './reading-store-contract-sweep.ts';
import type { RangeRequest } from './reading-table.ts';
import { ReadingWriter } from './reading-writer.ts';

/** What every store of readings does, whatever keeps it. `fresh` gives a place that is empty. */
export function readingStoreContract(name: string, fresh: () => Promise<ReadingPlace>): void {
  describe(`${name} keeps the contract of a store of readings`, () => {
    let bench: ReadingBench;
    beforeEach(async () => {
      const place = await fresh();
      const wall = () => bench.now;
      const writer = new ReadingWriter({ ...place, retentionDays, wall });
      const reader = new ReadingReader({ ...place, wall });
      bench = { ...place, writer, reader, now: 2_000_000 };
    });
    describe('readings', () => putContract(() => bench));
    describe('a range', () => rangeContract(() => bench));
    describe('the latest', () => latestContract(() => bench));
    describe('pieces', () => pieceContract(() => bench));
    describe('a quota', () => quotaContract(() => bench));
    describe('sweep', () => sweepContract(() => bench));
  });
}

function putContract(bench: () => ReadingBench): void {
  it('are read back as they came', async () => {
    const { writer, reader } = bench();
    const readings = [
      reading({ query: 'a=1&b=%20' }),
      reading({ at: 1_000_001, status: 503, body: new Uint8Array(0) }),
      failed({ at: 1_000_002 }),
      reading({ at: 1_000_003, body: Buffer.from([0xff, 0, 0x80]) }),
    ];
    await writer.put('plant-7', readings);
    const found = await readRange(reader);
    const texts = [true, true, true, false];
    for (const [at, { body, ...head }] of readings.entries()) {
      const stored = found[at] as StoredReading;
      const { length } = body;
      expect(stored).toMatchObject({ ...head, device: 'plant-7', length, isText: texts[at] });
      expect((await bodyOf(reader, stored)).equals(body)).toBe(true);
    }
    expect(found).toHaveLength(4);
    expect(found[0]?.expiresAt).toBe(1_000 + retentionDays * 86_400);
  });

  it.each([0, 1, 8_192, 8_193, 65_536])('keep a body of %d bytes', async (length) => {
    const { writer, reader } = bench();
    const body = randomBytes(length);
    await writer.put('plant-7', [reading({ body })]);
    const [stored] = await readRange(reader);
    expect(stored?.objects).toBe(length > 8_192 ? 1 : 0);
    expect((await bodyOf(reader, stored as StoredReading)).equals(body)).toBe(true);
  });

  it('that come again and again, also within one batch and at the same time, are there once', async () => {
    const { writer, reader } = bench();
    const large = reading({ schedule: 'hourly', body: Buffer.alloc(20_000, 'x') });
    const batch = [reading(), large, reading(), reading({ at: 1_000_001 })];
    await Promise.all([writer.put('plant-7', batch), writer.put('plant-7', batch)]);
    await writer.put('plant-7', batch);
    const found = await readRange(reader);
    expect(found.map(({ at, schedule }) => [at, schedule])).toEqual([
      [1_000_000, 'every-minute'],
      [1_000_000, 'hourly'],
      [1_000_001, 'every-minute'],
    ]);
    expect((await bodyOf(reader, found[1] as StoredReading)).length).toBe(20_000);
  });

  it('are those of their own device', async () => {
    const { writer, reader } = bench();
    await writer.put('plant-7', [reading()]);
    await writer.put('plant-7:a', [reading({ body: Buffer.alloc(9_000, 'a') })]);
    expect(await readRange(reader)).toHaveLength(1);
    const [other] = await readRange(reader, { device: 'plant-7:a' });
    expect((await bodyOf(reader, other as StoredReading)).toString('utf8', 0, 3)).toBe('aaa');
  });

  it('come as many at a time as a message may bring', async () => {
    const { writer, reader } = bench();
    const many = Array.from({ length: 256 }, (_, at) =>
      reading({ at, path: `/${'p'.repeat(200)}${at % 20}`, body: Buffer.alloc(200, 'b') }),
    );
    await writer.put('plant-7', many);
    const found = await readRange(reader);
    expect(found.map(({ at }) => at)).toEqual(many.map(({ at }) => at));
  });

  it('whose time is over are not shown', async () => {
    const { writer, reader } = bench();
    await writer.put('plant-7', [reading(), reading({ at: 1_060_000 })]);
    bench().now = 1_000_000 + retentionDays * dayMs;
    expect((await readRange(reader)).map(({ at }) => at)).toEqual([1_060_000]);
  });

  it('of a device that had the name before and was removed are not shown', async () => {
    const { writer, reader } = bench();
    await writer.put('plant-7', [reading()]);
    bench().now += 61_000;
    const owner = { device: 'plant-7', createdAt: bench().now };
    await writer.put('plant-7', [reading({ at: 1_000_001, path: '/new' })]);
    const all = { since: 0, until: Number.MAX_SAFE_INTEGER, limit: 10 };
    const { items } = await reader.range(owner, all);
    expect(items.map(({ path }) => path)).toEqual(['/new']);
    expect(await reader.latest(owner, reading())).toBeUndefined();
    expect(await reader.latest(owner, reading({ path: '/new' }))).toEqual(items[0]);
  });

  it('of which a large body is gone say so before anything was given', async () => {
    const { writer, reader, bodies } = bench();
    await writer.put('plant-7', [reading({ body: Buffer.alloc(9_000) })]);
    const [stored] = await readRange(reader);
    await bodies.remove(bodyKey('plant-7', { at: 1_000_000, schedule: 'every-minute' }));
    await expect(reader.open(stored as StoredReading)).rejects.toMatchObject({ code: 'missing' });
  });
}

function rangeContract(bench: () => ReadingBench): void {
  const times = [5, 10, 99, 100, 1_000_000];
  beforeEach(async () => {
    const readings = times.flatMap((at) => [
      reading({ at, schedule: 'a-b' }),
      reading({ at, schedule: 'a', source: 'logs', path: '/x' }),
    ]);
    await bench().writer.put('plant-7', readings.toReversed());
  });

  const found = async (request: Partial<RangeRequest>) =>
    (await readRange(bench().reader, request)).map(({ at, schedule }) => `${at} ${schedule}`);

  it('goes by time, and at one time by schedule', async () => {
    expect(await found({})).toEqual(times.flatMap((at) => [`${at} a`, `${at} a-b`]));
  });

  it('has its beginning in it, and its end not', async () => {
    expect(await found({ since: 10, until: 100 })).toEqual(['10 a', '10 a-b', '99 a', '99 a-b']);
    expect(await found({ since: 10, until: 10 })).toEqual([]);
    expect(await found({ since: 11, until: 5 })).toEqual([]);
    expect(await found({ since: 1_000_001 })).toEqual([]);
  });

  it('is that of a source and a path', async () => {
    expect(await found({ source: 'logs', since: 99 })).toEqual(['99 a', '100 a', '1000000 a']);
    expect(await found({ source: 'logs', path: '/x', until: 10 })).toEqual(['5 a']);
    expect(await found({ source: 'logs', path: '/metrics' })).toEqual([]);
    expect(await found({ path: '/metrics', until: 10 })).toEqual(['5 a-b']);
  });

  it.each([1, 2, 3, 7])('comes page by page, %d at a time, without one twice', async (limit) => {
    expect(await found({ limit })).toEqual(await found({}));
    expect(await found({ limit, source: 'logs' })).toEqual(await found({ source: 'logs' }));
  });

  it('goes on behind a reading that is not there', async () => {
    expect(await found({ after: { at: 100, schedule: 'a' } })).toEqual([
      '100 a-b',
      '1000000 a',
      '1000000 a-b',
    ]);
    expect(await found({ after: { at: 50, schedule: 'zzz' }, until: 100 })).toEqual([
      '99 a',
      '99 a-b',
    ]);
    expect(await found({ after: { at: 2_000_000, schedule: 'a' } })).toEqual([]);
  });
}
