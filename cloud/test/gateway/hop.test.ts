import { ManualClock } from '@pullwire/shared/manual-clock';
import { describe, expect, test } from 'vitest';
import { Hop } from './hop.ts';

const clock = new ManualClock();

/** The numbers 0 to 99 in the order in which they arrive. */
async function arrivals(hop: Hop): Promise<number[]> {
  const got: number[] = [];
  const under = Array.from({ length: 100 }, (_, number) =>
    hop.message().map((arrival) => arrival.then(() => got.push(number))),
  );
  await Promise.all(under.flat());
  return got;
}

const inOrder = Array.from({ length: 100 }, (_, number) => number);

describe('a hop', () => {
  test('without a seed keeps the order and doubles nothing', async () => {
    const hop = new Hop({ clock, delayMs: 0, seed: undefined });
    expect(await arrivals(hop)).toEqual(inOrder);
    expect(hop.chance(1)).toBe(false);
  });

  test('takes its milliseconds on the clock', async () => {
    const slow = new Hop({ clock, delayMs: 10, seed: undefined });
    let arrived = false;
    const passed = slow.pass().then(() => {
      arrived = true;
    });
    clock.advance(9);
    await new Promise((resolve) => setImmediate(resolve));
    expect(arrived).toBe(false);
    clock.advance(1);
    await passed;
  });

  test.each([1, 2, 3])('with seed %i shuffles and doubles, and loses nothing', async (seed) => {
    const got = await arrivals(new Hop({ clock, delayMs: 0, seed }));
    expect(got).not.toEqual([...got].sort((a, b) => a - b));
    expect(got.length).toBeGreaterThan(100);
    expect([...new Set(got)].sort((a, b) => a - b)).toEqual(inOrder);
  });

  test('the same seed decides the same', () => {
    const doubled = (seed: number) => {
      const hop = new Hop({ clock, delayMs: 0, seed });
      return inOrder.map(() => hop.chance(0.5));
    };
    expect(doubled(7)).toEqual(doubled(7));
    expect(doubled(7)).not.toEqual(doubled(8));
  });
});
