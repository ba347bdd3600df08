import { ManualClock } from '@pullwire/shared/manual-clock';
import { beforeEach, describe, expect, it } from 'vitest';
import { RelayClock } from './relay-clock.ts';

const date = 'Wed, 25 Nov 2026 06:00:00 GMT';
const said = Date.parse(date);
const hourMs = 3_600_000;

let clock: RelayClock;

beforeEach(() => {
  clock = new RelayClock(new ManualClock());
});

describe('the relay’s clock', () => {
  it('is this device’s own until an answer tells the time', () => {
    expect(clock.now()).toBe(0);
  });

  it.each([-12 * hourMs, 12 * hourMs, -6 * 365 * 24 * hourMs])(
    'is learnt by a device that is %i ms off',
    (off) => {
      const atMs = said + 300 + off;
      clock.learn({ date, atMs, roundTripMs: 100 });
      // Made between 100 and 0 ms ago, 0 to 999 ms after the second that it says.
      expect(clock.offsetMs).toBe(said + 550 - atMs);
    },
  );

  it('is off by no more than half a second and half the round trip', () => {
    const [roundTripMs, trueOffset] = [400, hourMs];
    for (let made = said; made < said + 1_000; made += 37) {
      for (const back of [0, 150, 400]) {
        const fresh = new RelayClock(new ManualClock());
        fresh.learn({ date, atMs: made + back - trueOffset, roundTripMs });
        expect(Math.abs(fresh.offsetMs - trueOffset)).toBeLessThanOrEqual(700);
      }
    }
  });

  it('is never before the second that the answer says: a relay that restarted takes no earlier token', () => {
    const atMs = said - hourMs;
    clock.learn({ date, atMs, roundTripMs: 0 });
    expect(atMs + clock.offsetMs).toBeGreaterThanOrEqual(said);
  });

  it('stays where an answer does not contradict it', () => {
    expect(clock.learn({ date, atMs: said + 999, roundTripMs: 0 })).toBe(0);
    expect(clock.learn({ date, atMs: said + 1_040, roundTripMs: 50 })).toBe(0);
    expect(clock.learn({ date, atMs: said + 5_000, roundTripMs: 0 })).toBe(-4_500);
    expect(clock.learn({ date, atMs: said + 5_300, roundTripMs: 0 })).toBe(0);
    expect(clock.offsetMs).toBe(-4_500);
  });

  it.each([
    ['Wed, 31 Dec 2019 23:59:59 GMT'],
    ['Fri, 01 Jan 2100 00:00:00 GMT'],
    ['Thu, 01 Jan 1970 00:00:00 GMT'],
    ['2026-11-25T06:00:00Z'],
    ['1795586400'],
    ['Wed, 25 Nov 2026 06:00:00 GMT, Wed, 25 Nov 2026 06:00:00 GMT'],
    ['Wed, 25 Nov 999999 06:00:00 GMT'],
    [''],
  ])('does not learn from %s', (absurd) => {
    expect(clock.learn({ date: absurd, atMs: 0, roundTripMs: 0 })).toBeUndefined();
    expect(clock.offsetMs).toBe(0);
  });
});
