import { expect, test } from 'vitest';
import { contentLength } from './content-length.ts';

test.each([
  [[], undefined],
  [['content-length', '0'], 0],
  [['Content-Length', '12', 'x', 'y'], 12],
  [['Content-Length', '1', 'content-length', '1'], 'invalid'],
  [['Content-Length', '1, 1'], 'invalid'],
  [['Content-Length', '+1'], 'invalid'],
  [['Content-Length', '0x1'], 'invalid'],
  [['Content-Length', ''], 'invalid'],
  [['Content-Length', '-1'], 'invalid'],
])('%j', (headers, length) => {
  expect(contentLength(headers)).toBe(length);
});
