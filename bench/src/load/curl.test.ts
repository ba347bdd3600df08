import { expect, it } from 'vitest';
import { parseTransfer } from './curl.ts';

it('a whole download has its size and time', () => {
  expect(parseTransfer('200 100000000 0.251430\n', 100_000_000)).toEqual({
    bytes: 100_000_000,
    seconds: 0.25143,
  });
});

it.each(['429 120 0.1', '200 99999999 0.1', '206 100000000 0.1', ''])(
  'a download that is not whole is no measurement: %j',
  (output) => {
    expect(() => parseTransfer(output, 100_000_000)).toThrow(
      'expected status 200 and 100000000 bytes',
    );
  },
);
