import type { PullFault } from '@pullwire/shared';
import { ManualClock } from '@pullwire/shared/manual-clock';
import { expect, it } from 'vitest';
import { PendingWork } from './pending-work.ts';
import { RevocationWatch } from './revocation-watch.ts';

function bench(stands: (device: string) => Promise<boolean>) {
  const clock = new ManualClock();
  const work = new PendingWork();
  const lost: string[] = [];
  const asked: string[] = [];
  const pull = (device: string, id: string) => ({
    device,
    giveUp: ({ code }: PullFault, reason: string) => lost.push(`${id} ${code} ${reason}`),
  });
  const pulls = [pull('plant-7', 'a'), pull('plant-7', 'b'), pull('plant-8', 'c')];
  const watch = new RevocationWatch({
    clock,
    pulls: () => pulls,
    stands: (device) => {
      asked.push(device);
      return stands(device);
    },
    track: (look) => work.add(look),
  });
  watch.start();
  const pass = async (ms: number) => {
    clock.advance(ms);
    await work.settled();
  };
  return { watch, pass, lost, asked };
}

it('ends the pulls of a device that was revoked, and no others, each device asked for once', async () => {
  const b = bench(async (device) => device !== 'plant-7');
  await b.pass(2_999);
  expect(b.asked).toEqual([]);
  await b.pass(1);
  expect([b.asked, b.lost]).toEqual([
    ['plant-7', 'plant-8'],
    ['a link-lost relay', 'b link-lost relay'],
  ]);
});

it('lets pulls run on where the registry cannot be asked, and asks again', async () => {
  const b = bench(() => Promise.reject(new Error('down')));
  await b.pass(3_000);
  await b.pass(3_000);
  expect([b.lost, b.asked.length]).toEqual([[], 4]);
});

it('asks nothing once it was stopped', async () => {
  const b = bench(async () => true);
  b.watch.stop();
  await b.pass(60_000);
  expect(b.asked).toEqual([]);
});
