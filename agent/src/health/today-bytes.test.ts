import { ManualClock } from '@pullwire/shared/manual-clock';
import { expect, it } from 'vitest';
import { TodayBytes } from './today-bytes.ts';

const hourMs = 3_600_000;

function begun(atMs: number) {
  const clock = new ManualClock();
  clock.advance(atMs);
  const moved = { bytesIn: 0, bytesOut: 0 };
  const move = (bytesIn: number, bytesOut: number): void => {
    moved.bytesIn += bytesIn;
    moved.bytesOut += bytesOut;
  };
  const today = new TodayBytes(clock, () => ({ ...moved }));
  today.start();
  return { clock, move, today };
}

it('counts from the start on, and anew from midnight on, whether anybody looks or not', () => {
  const { clock, move, today } = begun(22.5 * hourMs);
  move(10, 100);
  expect(today.snapshot()).toEqual({
    since: '1970-01-01T22:30:00.000Z',
    bytesIn: 10,
    bytesOut: 100,
  });
  clock.advance(1.5 * hourMs);
  move(1, 2);
  clock.advance(20 * hourMs);
  expect(today.snapshot()).toEqual({
    since: '1970-01-02T00:00:00.000Z',
    bytesIn: 1,
    bytesOut: 2,
  });
  today.stop();
  expect(clock.pending).toBe(0);
});

it('begins anew where the clock was set to another day', () => {
  const { clock, move, today } = begun(hourMs);
  move(10, 100);
  clock.skip(-2 * hourMs);
  expect(today.snapshot()).toEqual({ since: '1969-12-31T00:00:00.000Z', bytesIn: 0, bytesOut: 0 });
});
