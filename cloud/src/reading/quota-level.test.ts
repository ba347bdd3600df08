import { describe, expect, test } from 'vitest';
import { forgivenInMs, usedBytes } from './quota-level.ts';
import { dayMs } from './reading-limit.ts';

describe('what a device has used', () => {
  test.each([
    ['nothing that is known', undefined, 0],
    ['at that moment', { bytes: 600, at: dayMs }, 600],
    ['an hour ago', { bytes: 600, at: dayMs - 3_600_000 }, 550],
    ['half a day ago', { bytes: 600, at: dayMs / 2 }, 0],
    ['a moment ago, rounded against it', { bytes: 600, at: dayMs - 1 }, 600],
    ['by a clock that is a little ahead', { bytes: 600, at: dayMs + 5_000 }, 600],
    ['by a clock that was far ahead and was set right', { bytes: 600, at: 2 * dayMs + 1 }, 0],
  ])('%s', (_name, level, used) => {
    expect(usedBytes(level, dayMs, 1_200)).toBe(used);
  });

  test('is forgiven in as long as it says', () => {
    expect([forgivenInMs(1_200, 1_200), forgivenInMs(1, 1_200), forgivenInMs(-5, 1_200)]).toEqual([
      ...[dayMs, 72_000, 0],
    ]);
  });
});
