import { expect, it } from 'vitest';
import { findMinistack } from './find-ministack.ts';

const program = process.execPath;
const nowhere = '/nowhere/ministack';

it('ministack is found where it is installed', () => {
  expect(findMinistack({}, program)).toEqual({ path: program });
});

it('ministack is found where the environment says', () => {
  expect(findMinistack({ PULLWIRE_MINISTACK: program }, nowhere)).toEqual({ path: program });
});

it('a ministack that is missing is a reason to skip, and says how to install it', () => {
  expect(findMinistack({}, nowhere)).toEqual({
    skip: 'ministack is not installed: npm run setup:aws',
  });
});

it('a ministack that is missing under CI=true is a failure', () => {
  expect(() => findMinistack({ CI: 'true' }, nowhere)).toThrow(/under CI=true/);
});

it('a ministack that the environment names and that is missing is a failure', () => {
  const env = { PULLWIRE_MINISTACK: nowhere };
  expect(() => findMinistack(env, program)).toThrow('PULLWIRE_MINISTACK=/nowhere/ministack');
});
