import { ManualClock } from '@pullwire/shared/manual-clock';
import { expect, test } from 'vitest';
import type { Device, LinkRecord } from '../registry/registry.ts';
import { link, profile } from '../registry/registry-sample.ts';
import { OneBoxDevices } from './device-store.ts';
import { LiveLinks } from './live-links.ts';

/** Devices whose registry answers when the test says so. */
function bench(unwritten: LinkRecord[]) {
  const read = Promise.withResolvers<Device | undefined>();
  const clock = new ManualClock();
  clock.advance(30_000);
  const devices = new OneBoxDevices({
    registry: {
      device: () => read.promise,
      devices: async () => ({ items: [] }),
      removeDevice: async () => true,
    },
    live: new LiveLinks(),
    unwrittenEnds: () => unwritten.splice(0),
    clock,
    revoke: () => undefined,
    check: undefined,
    flapsOf: () => 0,
  });
  return { devices, answer: (device: Device) => read.resolve(device) };
}

const open = link();
const ended = { ...open, closedAt: 9_000, closedWhy: 'idle' };

test('a link that ended here is over, though the registry does not say so yet', async () => {
  const b = bench([ended]);
  const found = b.devices.find('plant-7');
  b.answer({ record: profile, links: [open] });
  expect((await found)?.offline).toEqual({ since: 9_000, why: 'idle' });
});

test('an end that is not written yet leaves a newer link alone', async () => {
  const b = bench([ended]);
  const newer = {
    ...open,
    connectionId: 'c9',
    connectedAt: open.connectedAt + 1,
    closedAt: 20_000,
  };
  const found = b.devices.find('plant-7');
  b.answer({ record: profile, links: [{ ...newer, closedWhy: 'drained' }] });
  expect((await found)?.offline).toEqual({ since: 20_000, why: 'drained' });
});
