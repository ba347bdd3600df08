import { expect, test } from 'vitest';
import { parseUntil } from './parse-until.ts';

const now = Date.UTC(2027, 0, 15, 8);

test.each([
  ['30m', now / 1_000 + 1_800],
  ['2027-02-01', Date.UTC(2027, 1, 1) / 1_000],
  ['2027-02-01T12:30Z', Date.UTC(2027, 1, 1, 12, 30) / 1_000],
  ['2027-02-01T12:30:15+02:00', Date.UTC(2027, 1, 1, 10, 30, 15) / 1_000],
])('reads %s', (text, expected) => {
  expect(parseUntil('--until', text, now)).toBe(expected);
});

test.each([
  ['soon', '--until must be such as 12h or 90d, or a time such as 2027-01-31T18:00Z, not "soon"'],
  ['2027-13-01', 'not "2027-13-01"'],
  ['2027-02-01T12:30', 'not "2027-02-01T12:30"'],
  ['2027-01-15T08:00Z', 'and "2027-01-15T08:00Z" is over'],
  ['0h', 'not "0h"'],
])('refuses %s', (text, expected) => {
  expect(() => parseUntil('--until', text, now)).toThrow(expected);
});
