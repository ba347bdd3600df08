import { expect, test } from 'vitest';
import { memorySlope } from './memory-slope.ts';

test('the slope is that of the line through the samples, and 0 where there is none', () => {
  const line = [0, 1, 2, 3].map((minutes) => ({ minutes, bytes: 500 + 100 * minutes }));
  expect(memorySlope(line)).toBeCloseTo(100);
  expect(memorySlope([{ minutes: 1, bytes: 7 }])).toBe(0);
});
