import { expect, it } from 'vitest';
import { allowsRange, preconditionStatus } from './precondition.ts';

const version = { etag: '"v2"', modified: Date.UTC(2026, 0, 2) / 1_000 };
const now = Date.UTC(2026, 5, 1);
const before = 'Thu, 01 Jan 2026 00:00:00 GMT';
const same = 'Fri, 02 Jan 2026 00:00:00 GMT';
const after = 'Sat, 03 Jan 2026 00:00:00 GMT';

it.each([
  [[], undefined],
  [['If-Match', '*'], undefined],
  [['If-Match', '"v1", "v2"'], undefined],
  [['If-Match', '"v1"', 'if-match', '"v2"'], undefined],
  [['If-Match', 'W/"v2"'], 412],
  [['If-Match', '"v1"'], 412],
  [['If-Match', ''], 412],
  [['If-Match', 'v2'], 412],
  [['If-Unmodified-Since', before], 412],
  [['If-Unmodified-Since', same], undefined],
  [['If-Unmodified-Since', 'nonsense'], undefined],
  [['If-Match', '"v2"', 'If-Unmodified-Since', before], undefined],
  [['If-None-Match', '*'], 304],
  [['If-None-Match', '"v1", W/"v2"'], 304],
  [['If-None-Match', '"v1"', 'If-None-Match', '"v2"'], 304],
  [['If-None-Match', '"v1"'], undefined],
  [['If-None-Match', '"a,"v2"'], undefined],
  [['If-Modified-Since', before], undefined],
  [['If-Modified-Since', same], 304],
  [['If-Modified-Since', after], 304],
  [['If-Modified-Since', 'nonsense'], undefined],
  [['If-None-Match', '"v1"', 'If-Modified-Since', after], undefined],
  [['If-Match', '"v1"', 'If-None-Match', '"v2"'], 412],
  [['If-Match', '"v2"', 'If-None-Match', '"v2"'], 304],
])('%j is answered with %j', (headers, expected) => {
  expect(preconditionStatus(headers, version, now)).toBe(expected);
});

it.each([
  [[], true],
  [['If-Range', '"v2"'], true],
  [['If-Range', '"v1"'], false],
  [['If-Range', 'W/"v2"'], false],
  [['If-Range', same], false],
])('with %j a range is allowed: %j', (headers, expected) => {
  expect(allowsRange(headers, version)).toBe(expected);
});
