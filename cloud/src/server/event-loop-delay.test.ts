import { ManualClock } from '@pullwire/shared/manual-clock';
import { expect, test } from 'vitest';
import { EventLoopDelay } from './event-loop-delay.ts';

test('a loop that stands still is late, and so it stays until its next look', () => {
  const clock = new ManualClock();
  const now = { ms: 0 };
  const delay = new EventLoopDelay({
    wall: () => now.ms,
    monotonic: () => now.ms,
    after: (ms, run) => clock.after(ms, run),
  });
  delay.start();
  expect(delay.lateMs).toBe(0);
  now.ms = 350;
  expect(delay.lateMs).toBe(300);
  clock.advance(50);
  expect(delay.lateMs).toBe(300);
  now.ms = 400;
  clock.advance(50);
  expect(delay.lateMs).toBe(0);
  delay.stop();
  expect(clock.pending).toBe(0);
});
