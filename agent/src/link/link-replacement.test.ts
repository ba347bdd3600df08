import { describe, expect, it } from 'vitest';
import { replaceAfterMs } from './link-replacement.ts';

describe('the moment for the next link', () => {
  it.each([
    [{ endOfLifeMs: 7_200_000 }, 0, 5_040_000],
    [{ endOfLifeMs: 7_200_000 }, 0.999_999, 6_479_999],
    [{ withinMs: 10_000 }, 0, 0],
    [{ withinMs: 10_000 }, 0.999_999, 5_000],
  ])('is, by %j and chance %d, %d ms later', (term, random, ms) => {
    expect(replaceAfterMs(term, 60_000, random)).toBe(ms);
  });

  it('comes when the link is a second old at the earliest, whatever a relay says', () => {
    expect(replaceAfterMs({ endOfLifeMs: 1 }, 0, 0.5)).toBe(1_000);
    expect(replaceAfterMs({ withinMs: 0 }, 400, 0.5)).toBe(600);
  });
});
