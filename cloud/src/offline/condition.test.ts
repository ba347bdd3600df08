import { expect, test } from 'vitest';
import { isNotModified, upstreamsCondition } from './condition.ts';

const at = Date.UTC(2026, 10, 28, 20, 0, 0);
const before = 'Sat, 28 Nov 2026 19:59:59 GMT';
const then = 'Sat, 28 Nov 2026 20:00:00 GMT';

test.each([
  ['no condition', [], ['ETag', '"a"'], false],
  ['its tag', ['If-None-Match', '"a"'], ['ETag', '"a"'], true],
  ['its tag among others', ['If-None-Match', '"b", W/"a"'], ['ETag', '"a"'], true],
  ['its weak tag', ['If-None-Match', '"a"'], ['ETag', 'W/"a"'], true],
  [
    'its tag on another line',
    ['If-None-Match', '"b"', 'if-none-match', '"a"'],
    ['ETag', '"a"'],
    true,
  ],
  ['another tag', ['If-None-Match', '"b"'], ['ETag', '"a"'], false],
  ['a tag with a comma', ['If-None-Match', '"a,b"'], ['ETag', '"a"'], false],
  ['any tag', ['If-None-Match', '*'], [], true],
  ['a tag where it has none', ['If-None-Match', '"a"'], [], false],
  ['a tag and a date', ['If-None-Match', '"b"', 'If-Modified-Since', then], ['ETag', '"a"'], false],
  ['the time of its change', ['If-Modified-Since', before], ['Last-Modified', before], true],
  ['a time before its change', ['If-Modified-Since', before], ['Last-Modified', then], false],
  ['the time of its Date', ['If-Modified-Since', then], ['Date', then], true],
  ['a time before its Date', ['If-Modified-Since', before], ['Date', then], false],
  ['the time of its storing', ['If-Modified-Since', then], [], true],
  ['a time before its storing', ['If-Modified-Since', before], [], false],
  ['what is no date', ['If-Modified-Since', 'today'], [], false],
])('%s: not modified is %#', (_, request, stored, same) => {
  expect(isNotModified(request, stored, at)).toBe(same);
});

test('what only the upstream can check', () => {
  expect(upstreamsCondition(['If-Match', '"a"'])).toBe('if-match');
  expect(upstreamsCondition(['If-Unmodified-Since', then])).toBe('if-unmodified-since');
  expect(upstreamsCondition(['If-None-Match', '"a"'])).toBeUndefined();
});
