import { expect, it } from 'vitest';
import { formatNumber } from './number.ts';

it.each([
  [20_582.14, '20,582'],
  [640.4, '640'],
  [64.04, '64.0'],
  [1.409, '1.41'],
  [0.0824, '0.082'],
  [0, '0.000'],
])('%d is shown as %s', (value, text) => {
  expect(formatNumber(value)).toBe(text);
});
