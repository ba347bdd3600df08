import type { OfferedKey, Rotated } from '@pullwire/shared';
import { expect, test } from 'vitest';
import { OfferedKeys } from './offered-keys.ts';

const key = (n: number): OfferedKey => ({ action: 'rotate', publicKey: `k${n}`, proof: 'p' });
const rotated = (n: number): Rotated => ({ action: 'rotated', publicKey: `k${n}` });

function bench() {
  const offers: { readonly key: OfferedKey; readonly answer: PromiseWithResolvers<Rotated> }[] = [];
  const answers: Rotated[] = [];
  const failures: unknown[] = [];
  const keys = new OfferedKeys({
    offer: (offered) => {
      const answer = Promise.withResolvers<Rotated>();
      offers.push({ key: offered, answer });
      return answer.promise;
    },
    answer: (answer) => answers.push(answer),
    failed: (error) => failures.push(error),
  });
  return { keys, offers, answers, failures };
}

/** Promises that have an answer have told it. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

test('a key waits for the one before, and only the last of those that wait is taken', async () => {
  const { keys, offers, answers } = bench();
  for (const n of [1, 2, 3]) keys.take(key(n));
  expect(offers.map((offer) => offer.key)).toEqual([key(1)]);
  offers[0]?.answer.resolve(rotated(1));
  await settled();
  expect(offers.map((offer) => offer.key)).toEqual([key(1), key(3)]);
  offers[1]?.answer.resolve(rotated(3));
  await settled();
  expect(answers).toEqual([rotated(1), rotated(3)]);
});

test('a key that could not be noted has no answer, and can be offered again', async () => {
  const { keys, offers, answers, failures } = bench();
  keys.take(key(1));
  offers[0]?.answer.reject(new Error('no registry'));
  await settled();
  expect([answers, failures.length]).toEqual([[], 1]);
  keys.take(key(1));
  expect(offers.length).toBe(2);
});
