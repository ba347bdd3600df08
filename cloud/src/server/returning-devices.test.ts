import { ManualClock } from '@pullwire/shared/manual-clock';
import { describe, expect, test } from 'vitest';
import { ReturningDevices } from './returning-devices.ts';

function bench(most = 3) {
  const clock = new ManualClock();
  return { clock, devices: new ReturningDevices({ clock, withinMs: 15_000, most }) };
}

describe('devices that may come back', () => {
  test('all pulls for a device go on when it has a link, and those for others wait', async () => {
    const { clock, devices } = bench();
    const back = [devices.wait('plant-1', 9_000), devices.wait('plant-1', 9_000)];
    const other = devices.wait('plant-2', 9_000);
    devices.linked('plant-1');
    await Promise.all(back);
    expect([devices.size, clock.pending]).toEqual([1, 1]);
    devices.linked('plant-2');
    await other;
    expect([devices.size, clock.pending]).toEqual([0, 0]);
  });

  test('a pull waits no longer than its deadline', async () => {
    const { clock, devices } = bench();
    const wait = devices.wait('plant-1', 2_000);
    clock.advance(2_000);
    await wait;
    expect(devices.size).toBe(0);
  });

  test('nobody waits once those who come back should be there', async () => {
    const { clock, devices } = bench();
    clock.advance(14_000);
    const wait = devices.wait('plant-1', 30_000);
    clock.advance(1_000);
    await wait;
    expect(devices.wait('plant-1', 30_000)).toBeUndefined();
  });

  test('one that came and went again is not waited for', () => {
    const { devices } = bench();
    devices.linked('plant-1');
    expect(devices.wait('plant-1', 9_000)).toBeUndefined();
    expect(devices.wait('plant-2', 9_000)).toBeInstanceOf(Promise);
  });

  test('so many wait and no more', () => {
    const { devices } = bench(2);
    expect(devices.wait('plant-1', 1_000)).toBeInstanceOf(Promise);
    expect(devices.wait('plant-2', 1_000)).toBeInstanceOf(Promise);
    expect(devices.wait('plant-3', 1_000)).toBeUndefined();
    expect(devices.wait('plant-3', 0)).toBeUndefined();
  });
});
