import { ManualClock } from '@pullwire/shared/manual-clock';
import { expect, it } from 'vitest';
import { ClockWatch } from './clock-watch.ts';

class SetClock extends ManualClock {
  setBy = 0;

  override wall(): number {
    return super.wall() + this.setBy;
  }
}

it('notices that the clock was set, either way, and no slow correction', () => {
  const clock = new SetClock();
  const jumps: number[] = [];
  const watch = new ClockWatch(clock, (byMs) => jumps.push(byMs));
  watch.start();
  clock.advance(60_000);
  clock.setBy += 1_000;
  clock.advance(10_000);
  expect(jumps).toEqual([]);
  clock.setBy -= 3_600_000;
  clock.advance(10_000);
  clock.advance(10_000);
  clock.setBy += 2_000;
  clock.advance(10_000);
  expect(jumps).toEqual([-3_600_000, 2_000]);
  watch.stop();
  expect(clock.pending).toBe(0);
});
