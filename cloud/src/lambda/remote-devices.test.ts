import { PullFault } from '@pullwire/shared';
import { ManualClock } from '@pullwire/shared/manual-clock';
import { expect, test } from 'vitest';
import type { DeviceRecord } from '../registry/registry.ts';
import { hello, link, profile } from '../registry/registry-sample.ts';
import { PendingWork } from './pending-work.ts';
import { RemoteDevices, type RemoteDevicesOptions } from './remote-devices.ts';

test('a way back that fails beside the post is no fault that promises that nothing was sent', async () => {
  const device = { record: profile, links: [link({ ...hello, expiresAt: 7_200 })] };
  const work = new PendingWork();
  const devices = new RemoteDevices({
    registry: {
      device: async () => device,
      devices: async () => ({ items: [] }),
      removeDevice: async () => true,
      closeLink: async () => true,
    },
    poster: { post: async () => undefined, disconnect: async () => undefined },
    channel: {
      ready: async () => 'c1',
      prove: async () => {
        throw new PullFault('channel-unavailable', 'lookup', { detail: 'answered 429' });
      },
    },
    work,
    clock: new ManualClock(),
  });
  const faults: PullFault[] = [];
  const found = await devices.find('plant-7');
  found?.targets[0]?.begin({
    pullId: 'p1',
    linkLost: () => undefined,
    sendFailed: (fault) => faults.push(fault),
    room: () => undefined,
  });
  await work.settled();
  const [fault] = faults;
  expect([fault?.code, fault?.stage, fault?.message]).toEqual([
    'relay-error',
    'upstream',
    'the connection on which the reply was to come is lost: answered 429',
  ]);
});

function devicesOf(record: DeviceRecord, more: Partial<RemoteDevicesOptions> = {}) {
  const reads: string[] = [];
  const devices = new RemoteDevices({
    registry: {
      device: async (id) => {
        reads.push(id);
        return { record: current.record, links: [link({ ...hello, expiresAt: 7_200 })] };
      },
      devices: async () => ({ items: [] }),
      removeDevice: async () => true,
      closeLink: async () => true,
    },
    poster: { post: async () => undefined, disconnect: async () => undefined },
    channel: { ready: async () => 'c1', prove: async () => undefined },
    work: new PendingWork(),
    clock: new ManualClock(),
    ...more,
  });
  const current = { record };
  return { devices, reads, current };
}

test('a revoked device is offline, whatever links it has', async () => {
  const { devices } = devicesOf({ ...profile, revokedAt: 5, revokedWhy: 'stolen' });
  const found = await devices.find('plant-7');
  expect(found).toMatchObject({ targets: [], offline: { since: 5, why: 'revoked' } });
  expect(await devices.stands('plant-7')).toBe(false);
});

test('a revocation is believed 10 s after it at most, by pulls that come and by those under way', async () => {
  const clock = new ManualClock();
  const { devices, current } = devicesOf(profile, { clock });
  expect((await devices.find('plant-7'))?.targets).toHaveLength(1);
  current.record = { ...profile, revokedAt: 1 };
  expect(await devices.stands('plant-7')).toBe(true);
  clock.advance(10_000);
  expect(await devices.stands('plant-7')).toBe(false);
  expect((await devices.find('plant-7'))?.targets).toHaveLength(0);
});
