import { expect, test } from 'vitest';
import { preferredWaitMs } from './prefer.ts';

test.each([
  [undefined, undefined],
  ['wait=10', 10_000],
  ['respond-async, wait=5', 5_000],
  ['Wait = "7"; foo', 7_000],
  ['await=5', undefined],
  ['wait=abc', undefined],
  ['wait=-1', undefined],
])('Prefer: %s', (value, ms) => {
  expect(preferredWaitMs(value === undefined ? [] : ['Prefer', value])).toBe(ms);
});
