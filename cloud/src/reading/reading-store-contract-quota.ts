import { expect, it } from 'vitest';
import { ReadingQuota } from './reading-quota.ts';
import type { ReadingBench } from './reading-store-contract-bench.ts';

export function quotaContract(bench: () => ReadingBench): void {
  // In the future: no TTL of a table may find it expired.
  const at = 40_000 * 86_400_000;

  it('has a level that is replaced by who knows it, and by nobody else', async () => {
    const { readingTable } = bench();
    const [first, second] = [
      { bytes: 5, at },
      { bytes: 7, at: at + 1 },
    ] as const;
    expect(await readingTable.quotaLevel('plant-7')).toBeUndefined();
    expect(await readingTable.replaceQuotaLevel('plant-7', second, first)).toBe(false);
    expect(await readingTable.replaceQuotaLevel('plant-7', undefined, first)).toBe(true);
    expect(await readingTable.replaceQuotaLevel('plant-7', undefined, second)).toBe(false);
    expect(await readingTable.quotaLevel('plant-7')).toEqual(first);
    expect(await readingTable.replaceQuotaLevel('plant-7', { ...first, at: 1 }, second)).toBe(
      false,
    );
    expect(await readingTable.replaceQuotaLevel('plant-7', first, second)).toBe(true);
    expect(await readingTable.quotaLevel('plant-7')).toEqual(second);
    expect(await readingTable.quotaLevel('plant-7:a')).toBeUndefined();
  });

  it('loses no count of those that write at the same time', async () => {
    const { readingTable } = bench();
    const parts = { readingTable, bytesPerDay: 10_000, wall: () => at, full: () => undefined };
    const takes = Array.from({ length: 8 }, async () => {
      const quota = new ReadingQuota(parts);
      return [await quota.take('plant-7', 1_500), await quota.take('plant-7', 50)] as const;
    });
    const [whole, more] = [(await Promise.all(takes)).map(([one]) => one), 10_000];
    expect(whole.filter((full) => full === undefined)).toHaveLength(6);
    expect((await readingTable.quotaLevel('plant-7'))?.bytes).toBeLessThanOrEqual(more);
  });
}
