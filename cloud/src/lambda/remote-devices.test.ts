import { PullFault } from '@pullwire/shared';
import { ManualClock } from '@pullwire/shared/manual-clock';
import { expect, test } from 'vitest';
import { hello, link, profile } from '../registry/registry-sample.ts';
import { PendingWork } from './pending-work.ts';
import { RemoteDevices } from './remote-devices.ts';

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
