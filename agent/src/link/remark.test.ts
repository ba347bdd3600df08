import { describe, expect, it } from 'vitest';
import { cleanRemark } from './remark.ts';

describe('a remark of the other side', () => {
  it.each([
    ['stolen on\r\nTuesday', 'stolen on Tuesday'],
    ['\u001b[2J\u001b]0;own\u0007ed', '[2J ]0;own ed'],
    ['a\u0000\u0085\u2028b\u202ec', 'a b c'],
    ['Fräulein "x"', 'Fräulein "x"'],
    ['\n\t', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('%j becomes %j', (text, clean) => {
    expect(cleanRemark(text)).toBe(clean);
  });

  it('has a bounded length', () => {
    expect(cleanRemark('x'.repeat(100_000))).toHaveLength(300);
  });
});
