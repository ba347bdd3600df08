import { expect, test } from 'vitest';
import { cacheDirectives, deltaSeconds } from './cache-control.ts';

const read = (...lines: string[]) =>
  cacheDirectives(lines.flatMap((line) => ['Cache-Control', line])).map(
    ({ name, argument }) => `${name}${argument === undefined ? '' : `=${argument}`}`,
  );

test.each([
  [['max-age=5'], ['max-age=5']],
  [['Max-Age=5 ,\tNO-CACHE'], ['max-age=5', 'no-cache']],
  [
    ['a', 'b=c'],
    ['a', 'b=c'],
  ],
  [[',,a,, ,b,'], ['a', 'b']],
  [['a="1"'], ['a=1']],
  [['a=""'], ['a=']],
  [['private="Set-Cookie, X-A", b'], ['private=Set-Cookie, X-A', 'b']],
  [['a="x\\"y, z", b'], ['a=x"y, z', 'b']],
  [['a=', 'b'], ['b']],
  [['a = 5, b'], ['b']],
  [['a b, c'], ['c']],
  [['=5, b'], ['b']],
  [['a="5, b=1'], []],
  [['b=1, a="5'], ['b=1']],
  [['a=1=2, b'], ['b']],
  [[''], []],
  [[], []],
])('%j has the directives %j', (lines, directives) => {
  expect(read(...lines)).toEqual(directives);
});

test('a long line of quotes and commas takes no long time', () => {
  expect(read(`${'",'.repeat(8_000)}a`)).toEqual(['a']);
  expect(read(`${'"\\'.repeat(8_000)}`)).toEqual([]);
});

test.each([
  ['0', 0],
  ['60', 60],
  ['007', 7],
  ['2147483648', 2_147_483_648],
  ['99999999999999999999999', 2_147_483_648],
  ['', undefined],
  ['-1', undefined],
  ['1.5', undefined],
  ['1e3', undefined],
  ['0x10', undefined],
  [' 1', undefined],
  [undefined, undefined],
])('the seconds of %j are %j', (argument, seconds) => {
  expect(deltaSeconds(argument)).toBe(seconds);
});
