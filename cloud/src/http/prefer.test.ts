import { describe, expect, test } from 'vitest';
import { otherPreferences, preferredWaitMs, prefersAsync } from './prefer.ts';

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

describe('respond-async', () => {
  test.each([
    ['respond-async', true],
    ['wait=5, Respond-Async', true],
    ['respond-async; foo=1', true],
    ['respond-asynchronously', false],
    ['no-respond-async', false],
    ['handling="respond-async"', false],
    ['', false],
  ])('in Prefer: %s: %s', (value, wanted) => {
    expect(prefersAsync(['Prefer', value])).toBe(wanted);
  });

  test('counts in any of several lines', () => {
    const headers = ['Prefer', 'wait=5', 'prefer', 'respond-async'];
    expect([prefersAsync(headers), preferredWaitMs(headers)]).toEqual([true, 5_000]);
  });
});

test.each([
  ['respond-async', undefined],
  ['respond-async, wait=5', undefined],
  ['return=minimal, respond-async', 'return=minimal'],
  ['a="x, respond-async", wait=5, b', 'a="x, respond-async", b'],
  ['waiting=1', 'waiting=1'],
])('what is left of %s is %s', (value, left) => {
  expect(otherPreferences(['Prefer', value])).toBe(left);
});
