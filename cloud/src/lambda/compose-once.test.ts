import { expect, it } from 'vitest';
import { composeOnce } from './compose-once.ts';

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

it('composes when the module is ready and once, and again after a failure', async () => {
  const made: string[] = [];
  let fails = true;
  const composed = composeOnce(async () => {
    made.push(fails ? 'failed' : 'made');
    if (fails) throw new Error('the parameter cannot be read');
    return 'function';
  });
  expect(made).toEqual([]);
  await nextTurn();
  expect(made).toEqual(['failed']);
  await expect(composed()).rejects.toThrow('the parameter cannot be read');
  fails = false;
  expect(await Promise.all([composed(), composed()])).toEqual(['function', 'function']);
  expect(made).toEqual(['failed', 'failed', 'made']);
});

it('composes with an invocation that comes before', async () => {
  let made = 0;
  const composed = composeOnce(async () => {
    made += 1;
    return made;
  });
  expect(await composed()).toBe(1);
  await nextTurn();
  expect(await composed()).toBe(1);
});
