import { beforeEach, describe, expect, test } from 'vitest';
import type { QuotaLevel } from './quota-level.ts';
import { dayMs } from './reading-limit.ts';
import { type QuotaFull, ReadingQuota } from './reading-quota.ts';

const bytesPerDay = 64_000;
const minute = 60_000;

/** The table, in memory: what the contract of stores asks of it is tested there. */
class Levels {
  readonly levels = new Map<string, QuotaLevel>();
  reads = 0;
  writes = 0;
  /** Runs between a read and what follows it. */
  between = async (): Promise<void> => {};

  async quotaLevel(device: string): Promise<QuotaLevel | undefined> {
    const level = this.levels.get(device);
    this.reads += 1;
    await this.between();
    return level;
  }

  async replaceQuotaLevel(device: string, before: QuotaLevel | undefined, level: QuotaLevel) {
    this.writes += 1;
    if (this.levels.get(device) !== before) return false;
    this.levels.set(device, level);
    return true;
  }
}

let now: number;
let levels: Levels;
let said: [string, QuotaFull][];

beforeEach(() => {
  now = 100 * dayMs;
  levels = new Levels();
  said = [];
});

/** One process. */
const newQuota = (): ReadingQuota =>
  new ReadingQuota({
    ...{ readingTable: levels, bytesPerDay, wall: () => now },
    full: (device, quota) => said.push([device, quota]),
  });

/** How many such batches a process takes until it holds one. */
async function takeAll(quota: ReadingQuota, bytes: number): Promise<number> {
  let taken = 0;
  while ((await quota.take('plant-7', bytes)) === undefined) taken += 1;
  return taken;
}

describe('a quota', () => {
  test('lets a device have a day at once, to the last byte, and no more', async () => {
    const quota = newQuota();
    expect(await takeAll(quota, 1_000)).toBe(64);
    expect(await quota.take('plant-8', 64_000)).toBeUndefined();
    expect(await newQuota().take('plant-8', 1)).toMatchObject({ bytesPerDay });
  });

  test('costs few writes for a device that sends much, and none once it is full', async () => {
    const quota = newQuota();
    await takeAll(quota, 100);
    expect(levels.writes).toBeLessThan(80); // of 640 batches
    const { reads, writes } = levels;
    for (let again = 0; again < 100; again += 1) await quota.take('plant-7', 100);
    expect(levels).toMatchObject({ reads, writes });
  });

  test('says how long to wait: a quarter of an hour, or what the batch needs', async () => {
    const quota = newQuota();
    await takeAll(quota, 100);
    now += minute;
    expect(await quota.take('plant-7', 100)).toEqual({ bytesPerDay, retryAfterMs: 14 * minute });
    const large = newQuota();
    const { retryAfterMs = 0 } = (await large.take('plant-7', 32_000)) ?? {};
    expect(retryAfterMs / minute).toBeCloseTo(12 * 60 - 1, 1);
  });

  test('gives back evenly what it has taken', async () => {
    const quota = newQuota();
    await takeAll(quota, 1_000);
    now += dayMs / 4;
    expect(await takeAll(quota, 1_000)).toBe(16);
    now += dayMs;
    expect(await takeAll(quota, 1_000)).toBe(64);
  });

  test('takes the same of a device whatever the number of processes that store for it', async () => {
    const quotas = Array.from({ length: 5 }, newQuota);
    const takes = await Promise.all(quotas.map((quota) => takeAll(quota, 500)));
    const taken = takes.reduce((sum, count) => sum + count, 0);
    // Each may have up to a sixty-fourth ahead that another could have used.
    expect(taken).toBeLessThanOrEqual(128);
    expect(taken).toBeGreaterThan(128 - 5 * 2);
  });

  test('of a device whose every batch meets a new process counts what was used and no more', async () => {
    let taken = 0;
    while ((await newQuota().take('plant-7', 1_000)) === undefined) taken += 1;
    expect(taken).toBe(64);
  });

  test('counts a batch that could not be stored once, when it comes again', async () => {
    const quota = newQuota();
    for (let again = 0; again < 1_000; again += 1) {
      expect(await quota.take('plant-7', 40_000)).toBeUndefined();
      quota.giveBack('plant-7', 40_000);
    }
    expect(await takeAll(quota, 1_000)).toBe(64);
  });

  test('is told once a day of a device, not once a batch', async () => {
    const quota = newQuota();
    for (let quarter = 0; quarter < 97; quarter += 1) {
      await takeAll(quota, 5_000);
      await quota.take('plant-7', 5_000);
      now += 15 * minute;
    }
    expect(said).toHaveLength(2);
    expect(said[0]).toEqual(['plant-7', { bytesPerDay, retryAfterMs: expect.any(Number) }]);
  });

  test('counts anew where another process was quicker', async () => {
    const other = newQuota();
    levels.between = async () => {
      levels.between = async () => {};
      expect(await other.take('plant-7', 60_000)).toBeUndefined();
    };
    expect(await newQuota().take('plant-7', 10_000)).toMatchObject({ bytesPerDay });
    expect(levels.levels.get('plant-7')?.bytes).toBe(60_000);
  });

  test('stores nothing where it cannot be counted', async () => {
    levels.replaceQuotaLevel = async () => false;
    await expect(newQuota().take('plant-7', 1)).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('holds nobody for longer because a clock was set back', async () => {
    const quota = newQuota();
    await takeAll(quota, 1_000);
    now -= 400 * dayMs;
    expect(await quota.take('plant-7', 1_000)).toBeUndefined();
  });
});
