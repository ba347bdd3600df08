import type { ReadingEntry } from '@pullwire/shared';
import { expect, test } from 'vitest';
import { readingCost } from './reading-cost.ts';

const entry: ReadingEntry = {
  ...{ schedule: 'load', at: 1, source: 'cpu', path: '/m', ms: 1, length: 0 },
  ...{ status: 200, headers: [] },
};
const least = 512 + 9;

test.each<[string, Partial<ReadingEntry>, number]>([
  ['nothing but its place', {}, least],
  ['its body', { length: 8_192 }, least + 8_192],
  ['a body that is an object', { length: 8_193 }, least + 8_193 + 4_096],
  ['a piece of a byte', { length: 1, piece: { index: 0, of: 2 } }, least + 1 + 4_096],
  ['its headers', { headers: ['A', 'b'.repeat(1_000)] }, least + 1_005],
  ['its query', { query: 'q'.repeat(100) }, least + 100],
  ['a fault', { fault: { code: 'c', detail: 'd'.repeat(500) } }, least + 500],
])('a reading counts for %s', (_name, changes, bytes) => {
  expect(readingCost({ ...entry, ...changes })).toBe(bytes);
});
