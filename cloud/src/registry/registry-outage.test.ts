import { ManualClock } from '@pullwire/shared/manual-clock';
import { expect, it } from 'vitest';
import { RegistryOutage } from './registry-outage.ts';

function fixture() {
  const clock = new ManualClock();
  const said: string[] = [];
  let probes: { answer(): void; fail(): void }[] = [];
  const outage = new RegistryOutage({
    clock,
    probe: () =>
      new Promise<void>((resolve, reject) => {
        probes = [...probes, { answer: resolve, fail: () => reject(new Error('still down')) }];
      }),
    began: (error) => said.push(error.message),
    ended: (ms) => said.push(`ended after ${ms}`),
  });
  return { clock, outage, said, probes: () => probes };
}

const refused = Object.assign(new Error('no'), { code: 'ECONNREFUSED' });

it('lets calls through until one gets no answer, and then none, until a probe does', async () => {
  const { clock, outage, said, probes } = fixture();
  outage.check();
  outage.noAnswer(refused);
  outage.noAnswer(refused);
  expect(() => outage.check()).toThrow('the registry does not answer: ECONNREFUSED');
  clock.advance(1_000);
  probes()[0]?.fail();
  await clock.timerOf(1_000);
  expect(() => outage.check()).toThrow();
  clock.advance(1_000);
  probes()[1]?.answer();
  await expect.poll(() => outage.error).toBeUndefined();
  outage.check();
  expect(said).toEqual(['the registry does not answer: ECONNREFUSED', 'ended after 2000']);
});

it('probes one at a time, however long that takes', () => {
  const { clock, outage, probes } = fixture();
  outage.noAnswer(refused);
  clock.advance(60_000);
  expect(probes().length).toBe(1);
});

it('leaves nothing running when it is stopped', () => {
  const { clock, outage } = fixture();
  outage.noAnswer(refused);
  outage.stop();
  expect(clock.pending).toBe(0);
});
