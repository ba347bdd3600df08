import { expect, it } from 'vitest';
import { composeOnce } from './compose-once.ts';

it('composes at once and once, and again after a failure', async () => {
  const made: string[] = [];
  let fails = true;
  const composed = composeOnce(async () => {
    made.push(fails ? 'failed' : 'made');
    if (fails) throw new Error('the parameter cannot be read');
    return 'function';
  });
  expect(made).toEqual(['failed']);
  await expect(composed()).rejects.toThrow('the parameter cannot be read');
  fails = false;
  expect(await Promise.all([composed(), composed()])).toEqual(['function', 'function']);
  expect(made).toEqual(['failed', 'made']);
});
