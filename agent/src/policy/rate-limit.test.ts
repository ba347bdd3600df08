import { expect, it } from 'vitest';
import { RateLimit } from './rate-limit.ts';

function limited(perSecond: number, burst: number) {
  let now = 1_000;
  const limit = new RateLimit({ perSecond, burst }, () => now);
  return { take: () => limit.take(), pass: (ms: number) => (now += ms) };
}

it('lets a burst through, then says when the next token comes', () => {
  const { take } = limited(2, 3);
  expect([take(), take(), take(), take(), take()]).toEqual([0, 0, 0, 500, 500]);
});

it('fills with time, up to the burst', () => {
  const { take, pass } = limited(2, 2);
  take();
  take();
  pass(499);
  expect(take()).toBe(1);
  pass(1);
  expect(take()).toBe(0);
  pass(60_000);
  expect([take(), take(), take()]).toEqual([0, 0, 500]);
});

it('takes fractions of a pull a second', () => {
  const { take, pass } = limited(0.1, 1);
  expect([take(), take()]).toEqual([0, 10_000]);
  pass(10_000);
  expect(take()).toBe(0);
});
