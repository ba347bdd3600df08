import { expect, it } from 'vitest';
import { median, spread } from './median.ts';

it.each([
  [[7], 7],
  [[3, 1, 2], 2],
  [[10, 9, 100, 1], 9.5],
  [[5, 100, 5, 5, 1], 5],
  [[2, 10, 9, 1, 100], 9],
])('the median of %j is %d, by value and not by text', (values, middle) => {
  expect(median(values)).toBe(middle);
});

it('leaves what it was given as it was', () => {
  const values = [3, 1, 2];
  median(values);
  expect(values).toEqual([3, 1, 2]);
});

it('there is no median of nothing', () => {
  expect(() => median([])).toThrow(RangeError);
});

it('the spread compares the extremes with the middle', () => {
  expect(spread([90, 100, 120])).toBeCloseTo(0.3);
  expect(spread([4])).toBe(0);
});
