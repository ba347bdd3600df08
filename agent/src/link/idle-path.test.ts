import { ManualClock } from '@pullwire/shared/manual-clock';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { IdlePath, type KnownPath, type PaceBounds, type SilenceEnd } from './idle-path.ts';

const day = 86_400_000;
const metered: PaceBounds = { floorMs: 15_000, startMs: 25_000, maxMs: 540_000 };
const gateway: PaceBounds = { floorMs: 15_000, startMs: 300_000, maxMs: 540_000 };

interface Walk {
  readonly holdsMs: number;
  readonly bounds: PaceBounds;
  readonly end?: SilenceEnd;
  /** Whether something else ends the link at this beat. */
  chance?(beat: number): boolean;
}

class Walker {
  readonly clock = new ManualClock();
  readonly kept: KnownPath[] = [];
  path: IdlePath;
  losses = 0;

  constructor(known: KnownPath = { goodMs: 0 }) {
    this.path = new IdlePath(this.clock, known, (changed) => this.kept.push(changed));
  }

  /** Beats on a path that stays open for `holdsMs` of silence. Returns the intervals. */
  walk(beats: number, { holdsMs, bounds, end = 'unanswered', chance }: Walk): number[] {
    return Array.from({ length: beats }, (_, beat) => {
      const ms = this.path.interval(bounds);
      const quietMs = end === 'closed' ? Math.min(ms, holdsMs) : ms;
      this.clock.advance(quietMs);
      if (ms <= holdsMs && chance?.(beat) !== true) this.path.held(ms);
      else {
        this.losses += 1;
        this.path.lost(quietMs, end);
      }
      return ms;
    });
  }
}

const bounds = fc.constantFrom(metered, gateway);
const end = fc.constantFrom<SilenceEnd>('unanswered', 'closed');

describe('a path whose idle time is learnt', () => {
  test('grows step by step, two answers each, to what the bounds allow, without a loss', () => {
    const walker = new Walker();
    const intervals = walker.walk(20, { holdsMs: Number.POSITIVE_INFINITY, bounds: metered });
    expect(intervals.slice(0, 5)).toEqual([25_000, 25_000, 37_500, 37_500, 56_250]);
    expect([intervals.at(-1), walker.losses]).toEqual([540_000, 0]);
  });

  test('a path that holds 60 s costs one link to learn', () => {
    const walker = new Walker();
    const intervals = walker.walk(20, { holdsMs: 60_000, bounds: metered });
    expect(intervals.slice(4)).toEqual([56_250, 56_250, 84_375, ...Array(13).fill(56_250)]);
    expect(walker.losses).toBe(1);
  });

  test('falls below its start where the path holds less', () => {
    const walker = new Walker();
    const intervals = walker.walk(20, { holdsMs: 60_000, bounds: gateway });
    expect(intervals.slice(0, 4)).toEqual([300_000, 100_000, 33_333, 33_333]);
    expect(intervals.at(-1)).toBeGreaterThan(40_000);
  });

  test('property: comes to within 60 % of what any path holds, at the cost of four links at most', () => {
    fc.assert(
      fc.property(fc.integer({ min: 15_000, max: 1_000_000 }), bounds, end, (holdsMs, own, how) => {
        const walker = new Walker();
        const last = walker.walk(60, { holdsMs, bounds: own, end: how }).slice(-10);
        for (const ms of last) {
          expect(ms).toBeGreaterThanOrEqual(0.6 * Math.min(holdsMs, own.maxMs));
          expect(ms).toBeLessThanOrEqual(holdsMs);
        }
        expect(walker.losses).toBeLessThanOrEqual(4);
      }),
      { numRuns: 2_000 },
    );
  });

  test('property: whatever happens, it stays within its bounds', () => {
    const event = fc.record({
      ms: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
      what: fc.constantFrom('held', 'unanswered', 'closed'),
      waitMs: fc.integer({ min: 0, max: day }),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), bounds, (events, own) => {
        const { clock, path } = new Walker();
        for (const { ms, what, waitMs } of events) {
          clock.advance(waitMs);
          if (what === 'held') path.held(ms);
          else path.lost(ms, what as SilenceEnd);
          const interval = path.interval(own);
          expect(interval).toBeGreaterThanOrEqual(own.floorMs);
          expect(interval).toBeLessThanOrEqual(own.maxMs);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test('property: what losses of another cause made of it is right again within two days', () => {
    const chances = fc.uniqueArray(fc.integer({ min: 0, max: 199 }), { maxLength: 20 });
    fc.assert(
      fc.property(
        fc.integer({ min: 15_000, max: 1_000_000 }),
        chances,
        bounds,
        (holdsMs, beats, own) => {
          const walker = new Walker();
          const unlucky = new Set(beats);
          walker.walk(200, { holdsMs, bounds: own, chance: (beat) => unlucky.has(beat) });
          const until = walker.clock.wall() + 2 * day;
          let last = 0;
          while (walker.clock.wall() < until) [last = 0] = walker.walk(1, { holdsMs, bounds: own });
          walker.walk(60, { holdsMs, bounds: own });
          [last = 0] = walker.walk(1, { holdsMs, bounds: own });
          expect(last).toBeGreaterThanOrEqual(0.6 * Math.min(holdsMs, own.maxMs));
        },
      ),
      { numRuns: 100 },
    );
  });

  test('a lone loss at an interval that has held changes nothing, two in a row do', () => {
    const walker = new Walker({ goodMs: 100_000 });
    walker.path.lost(100_000, 'unanswered');
    walker.path.held(100_000);
    walker.path.lost(100_000, 'unanswered');
    expect(walker.path.interval(metered)).toBe(100_000);
    walker.path.lost(100_000, 'unanswered');
    expect(walker.path.interval(metered)).toBe(33_333);
  });

  test('a device that moved learns anew after a day', () => {
    const walker = new Walker();
    walker.walk(20, { holdsMs: 60_000, bounds: metered });
    walker.clock.advance(day);
    walker.walk(40, { holdsMs: 1_000_000, bounds: metered });
    expect(walker.path.interval(metered)).toBe(540_000);
  });

  test('what is worth keeping is told, and taken up again', () => {
    const walker = new Walker();
    walker.walk(20, { holdsMs: 60_000, bounds: metered });
    const known = walker.kept.at(-1) as KnownPath;
    expect(known).toMatchObject({ goodMs: 56_250, bad: { ms: 84_375 } });
    const again = new Walker(known);
    again.clock.advance((known.bad?.at ?? 0) + 1);
    expect(again.walk(20, { holdsMs: 60_000, bounds: metered })).toEqual(Array(20).fill(56_250));
    expect(again.losses).toBe(0);
  });
});
