import { describe, expect, it } from 'vitest';
import { parseRetryAfter } from './refusal.ts';

const sent = Date.parse('Sun, 06 Nov 1994 08:49:37 GMT');

describe('parseRetryAfter', () => {
  it.each([
    ['120', 120_000],
    ['0', 0],
    ['Sun, 06 Nov 1994 08:50:37 GMT', 60_000],
    ['Sun, 06 Nov 1994 08:00:00 GMT', 0],
    ['-1', undefined],
    ['1e9', undefined],
    ['99999999999', undefined],
    ['soon', undefined],
    [undefined, undefined],
  ])('reads %s as %s ms', (value, ms) => {
    expect(parseRetryAfter(value, sent)).toBe(ms);
  });
});
