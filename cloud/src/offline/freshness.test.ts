import { expect, test } from 'vitest';
import { forbiddenBy, freshnessOf, isStale } from './freshness.ts';

const now = Date.UTC(2026, 10, 28, 20, 0, 0);
const minute = 60_000;
const at = now - 10 * minute;

const fresh = (headers: string[], times: { at?: number; receivedAt?: number } = {}) =>
  freshnessOf({ at, receivedAt: at, headers, ...times }, now);

test.each([
  ['nothing', [], 0],
  ['max-age', ['Cache-Control', 'max-age=700'], 700],
  ['s-maxage before max-age', ['Cache-Control', 'max-age=700, s-maxage=5'], 5],
  ['the first of two', ['Cache-Control', 'max-age=1, max-age=2'], 1],
  [
    'a max-age that is none, whatever Expires says',
    ['Cache-Control', 'max-age=x', 'Expires', 'Sun, 29 Nov 2026 20:00:00 GMT'],
    0,
  ],
  [
    'Expires from Date',
    ['Date', 'Sat, 28 Nov 2026 19:00:00 GMT', 'Expires', 'Sat, 28 Nov 2026 19:02:00 GMT'],
    120,
  ],
  ['Expires from the reading', ['Expires', 'Sat, 28 Nov 2026 19:55:00 GMT'], 300],
  ['Expires in the past', ['Expires', 'Sat, 28 Nov 2026 19:00:00 GMT'], 0],
  ['an Expires that is no date', ['Expires', '0'], 0],
  ['an Age that is none', ['Cache-Control', 'max-age=700', 'Age', 'old'], 0],
])('with %s', (_, headers, lifetimeSeconds) => {
  expect(fresh(headers)).toMatchObject({ ageSeconds: 600, lifetimeSeconds });
});

test('it is stale when its age has reached what the upstream said', () => {
  expect(isStale(fresh(['Cache-Control', 'max-age=600']))).toBe(true);
  expect(isStale(fresh(['Cache-Control', 'max-age=601']))).toBe(false);
});

test('the time in caches behind the device is added to its age', () => {
  expect(fresh(['Age', '30']).ageSeconds).toBe(630);
});

test('a device whose clock is ahead makes its readings no younger than they can be', () => {
  const ahead = { at: now + 300 * minute, receivedAt: now - minute };
  expect(fresh([], ahead).ageSeconds).toBe(60);
  expect(fresh([], { at: now + minute, receivedAt: now + minute }).ageSeconds).toBe(0);
});

test('a reading that came late is as old as it says', () => {
  expect(fresh([], { receivedAt: now - minute }).ageSeconds).toBe(600);
});

test.each([
  [['Cache-Control', 'public, max-age=5'], undefined],
  [['Cache-Control', 'max-age=5', 'cache-control', 'No-Store'], 'no-store'],
  [['Cache-Control', 'private="X-A"'], 'private'],
  [['Cache-Control', 'no-cache="Set-Cookie"'], 'no-cache'],
  [['Pragma', 'no-cache'], undefined],
])('%j forbids by %j', (headers, directive) => {
  expect(forbiddenBy(headers)).toBe(directive);
});
