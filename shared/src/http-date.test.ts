import { expect, it } from 'vitest';
import { formatHttpDate, parseHttpDate } from './http-date.ts';

const now = Date.UTC(2026, 0, 1);
/** The example of RFC 9110 §5.6.7. */
const seconds = Date.UTC(1994, 10, 6, 8, 49, 37) / 1_000;

it.each([
  ['Sun, 06 Nov 1994 08:49:37 GMT', seconds],
  ['Sunday, 06-Nov-94 08:49:37 GMT', seconds],
  ['Sun Nov  6 08:49:37 1994', seconds],
  ['Wednesday, 06-Nov-75 08:49:37 GMT', Date.UTC(2075, 10, 6, 8, 49, 37) / 1_000],
  ['Sunday, 06-Nov-77 08:49:37 GMT', Date.UTC(1977, 10, 6, 8, 49, 37) / 1_000],
  ['Sun, 06 Nov 1994 08:49:37 +0100', undefined],
  ['Sun, 6 Nov 1994 08:49:37 GMT', undefined],
  ['06 Nov 1994 08:49:37 GMT', undefined],
  ['1994-11-06T08:49:37Z', undefined],
  ['now', undefined],
  ['0', undefined],
  ['', undefined],
])('%j is %j', (text, expected) => {
  expect(parseHttpDate(text, now)).toBe(expected);
});

it('writes the preferred form', () => {
  expect(formatHttpDate(seconds)).toBe('Sun, 06 Nov 1994 08:49:37 GMT');
});
