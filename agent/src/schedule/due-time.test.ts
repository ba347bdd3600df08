import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DueTime } from './due-time.ts';

describe('the time of a reading', () => {
  it('is the due time by the relay’s clock', () => {
    const dueTime = new DueTime(undefined);
    expect(dueTime.next(60_000, 0)).toEqual({ at: 60_000, step: 0 });
    expect(dueTime.next(120_000, 2_500)).toEqual({ at: 122_500, step: 0 });
  });

  it('is never that of an earlier one, although the clock was set back', () => {
    const dueTime = new DueTime(undefined);
    const times: number[] = [];
    for (const minute of [1, 2, 3, 1, 2, 3, 4, 2, 3]) {
      times.push(dueTime.next(minute * 60_000, 0).at);
    }
    expect(new Set(times).size).toBe(times.length);
    expect(times[3]).toBe(60_001);
    expect(times[8]).toBe(180_002);
  });

  it('goes on where another run of the agent stopped', () => {
    expect(new DueTime({ at: 180_001, step: 1 }).next(120_000, 0)).toEqual({
      at: 120_002,
      step: 2,
    });
    expect(new DueTime({ at: 180_001, step: 1 }).next(240_000, 0)).toEqual({
      at: 240_001,
      step: 1,
    });
  });

  it('differs from all others, however often the clock is set back', () => {
    const jumps = fc.array(fc.array(fc.nat({ max: 100 }), { minLength: 1 }), { maxLength: 100 });
    fc.assert(
      fc.property(jumps, (eras) => {
        const dueTime = new DueTime(undefined);
        const times = eras.flatMap((era) => {
          const seconds = [...new Set(era)].sort((a, b) => a - b);
          return seconds.map((second) => dueTime.next(second * 1_000, 0).at);
        });
        expect(new Set(times).size).toBe(times.length);
      }),
    );
  });
});
