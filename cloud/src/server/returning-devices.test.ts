import { ManualClock } from '@pullwire/shared/manual-clock';
import { describe, expect, test } from 'vitest';
import type { Patience } from '../pull/pull-target.ts';
import { ReturningDevices } from './returning-devices.ts';

const times = { startMs: 15_000, lostMs: 5_000, askedMs: 60_000 };
const patience: Patience = { leftMs: 30_000, isAsked: false };
const restarted = { since: 1, why: 'relay-restarted' };

function bench(most = 3) {
  const clock = new ManualClock();
  const devices = new ReturningDevices({ clock, times, most });
  const lost = (why: string) => ({ since: clock.wall(), why });
  return {
    ...{ clock, devices, lost },
    /** How long a pull would wait. */
    waitMs(offline: ReturnType<typeof lost>, whose = patience): number {
      const wait = devices.wait('plant-1', offline, whose);
      if (wait === undefined) return 0;
      const from = clock.monotonic();
      while (devices.size > 0) clock.advance(500);
      return clock.monotonic() - from;
    },
  };
}

describe('devices that may come back', () => {
  test('all pulls for a device go on when it has a link, and those for others wait', async () => {
    const { clock, devices } = bench();
    const wait = (device: string) => devices.wait(device, restarted, patience);
    const back = [wait('plant-1'), wait('plant-1')];
    const other = wait('plant-2');
    devices.linked('plant-1');
    await Promise.all(back);
    expect([devices.size, clock.pending]).toEqual([1, 1]);
    devices.linked('plant-2');
    await other;
    expect([devices.size, clock.pending]).toEqual([0, 0]);
  });

  test('a pull waits no longer than its deadline', () => {
    expect(bench().waitMs(restarted, { ...patience, leftMs: 2_000 })).toBe(2_000);
    expect(bench().waitMs(restarted, { ...patience, leftMs: 0 })).toBe(0);
  });

  test('nobody waits once those should be there who had their links at the relay before this one', () => {
    const { clock, waitMs } = bench();
    clock.advance(14_000);
    expect(waitMs(restarted)).toBe(1_000);
    expect(waitMs(restarted)).toBe(0);
  });

  test.each(['link-lost', 'idle'])('%s: a pull waits for some seconds after the end', (why) => {
    const { clock, lost, waitMs } = bench();
    clock.advance(100_000);
    const offline = lost(why);
    clock.advance(2_000);
    expect(waitMs(offline)).toBe(3_000);
    expect(waitMs(offline)).toBe(0);
  });

  test('a caller that says how long it would wait is taken at its word', () => {
    const { clock, lost, waitMs } = bench();
    const offline = lost('idle');
    clock.advance(20_000);
    expect(waitMs(offline, { leftMs: 170_000, isAsked: true })).toBe(40_000);
    expect(waitMs(lost('idle'), { leftMs: 7_000, isAsked: true })).toBe(7_000);
  });

  test.each(['client-shutdown', 'revoked', 'removed', 'gone', 'protocol-error'])(
    '%s: nobody waits',
    (why) => {
      const { lost, waitMs } = bench();
      expect(waitMs(lost(why), { leftMs: 30_000, isAsked: true })).toBe(0);
    },
  );

  test('a clock that was set back makes nobody wait longer', () => {
    const { clock, waitMs } = bench();
    expect(waitMs({ since: clock.wall() + 3_600_000, why: 'idle' })).toBe(5_000);
  });

  test('nobody waits where the relay ends: agents dial elsewhere', async () => {
    const { clock, devices } = bench();
    const wait = devices.wait('plant-1', restarted, patience);
    devices.stop();
    await wait;
    expect([devices.size, clock.pending]).toEqual([0, 0]);
    expect(devices.wait('plant-1', restarted, patience)).toBeUndefined();
  });

  test('so many wait and no more', () => {
    const { devices } = bench(2);
    const wait = (device: string) => devices.wait(device, restarted, patience);
    expect(wait('plant-1')).toBeInstanceOf(Promise);
    expect(wait('plant-2')).toBeInstanceOf(Promise);
    expect(wait('plant-3')).toBeUndefined();
  });
});
