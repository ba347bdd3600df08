import { ManualClock } from '@pullwire/shared/manual-clock';
import { expect, test } from 'vitest';
import { type Due, type StalledPull, StallWatch } from './stall-watch.ts';

function bench(due: Due | undefined) {
  const clock = new ManualClock();
  const asked: number[] = [];
  const pull = { due, position: 0, askAgain: () => asked.push(clock.monotonic()) };
  const watch = new StallWatch({ clock, pulls: (): StalledPull[] => [pull] });
  watch.start();
  return { clock, asked, pull, watch };
}

test('a gap is asked for after a second, silence after five, each time twice as late', () => {
  const gap = bench('earlier');
  gap.clock.advance(8_000);
  expect(gap.asked).toEqual([1_500, 3_500, 7_500]);
  const silence = bench('more');
  silence.clock.advance(36_000);
  expect(silence.asked).toEqual([5_500, 15_500, 35_500]);
});

test('what moves is not asked for, nor what nobody knows the time of', () => {
  const moving = bench('more');
  for (let step = 0; step < 20; step += 1) {
    moving.pull.position += 1;
    moving.clock.advance(4_000);
  }
  const unknown = bench(undefined);
  unknown.clock.advance(60_000);
  expect([moving.asked, unknown.asked]).toEqual([[], []]);
});

test('a watch that was stopped leaves no timer', () => {
  const { clock, watch } = bench('more');
  clock.advance(1_000);
  watch.stop();
  expect(clock.pending).toBe(0);
});
