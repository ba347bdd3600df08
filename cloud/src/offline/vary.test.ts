import { expect, test } from 'vitest';
import { variesBy } from './vary.ts';

test.each([
  ['no Vary', [], ['Accept', 'text/html'], undefined],
  ['an empty one', ['Vary', ' , '], [], undefined],
  ['*', ['Vary', 'Accept, *'], [], '*'],
  ['a field that is absent', ['Vary', 'Accept-Language, X-Tenant'], [], undefined],
  ['a field that is there', ['Vary', 'Accept-Language, X-Tenant'], ['x-tenant', 'a'], 'x-tenant'],
  ['a field of another line', ['Vary', 'A', 'vary', 'B'], ['B', ''], 'b'],
  ['Authorization', ['Vary', 'Authorization'], ['Authorization', 'Basic x'], 'authorization'],
  ['Cookie', ['Vary', 'Cookie'], ['Cookie', 'a=1'], 'cookie'],
  ['Accept: */*', ['Vary', 'Accept'], ['Accept', '*/*'], undefined],
  ['Accept of one kind', ['Vary', 'Accept'], ['Accept', 'text/html, */*'], 'accept'],
  ['Accept-Language: *', ['Vary', 'Accept-Language'], ['Accept-Language', '*'], undefined],
  ['Accept-Encoding', ['Vary', 'Accept-Encoding'], ['Accept-Encoding', 'gzip, br'], undefined],
  [
    'Accept-Encoding, encoded',
    ['Vary', 'Accept-Encoding', 'Content-Encoding', 'gzip'],
    ['Accept-Encoding', 'gzip'],
    'accept-encoding',
  ],
  [
    'Accept-Encoding without plain bodies',
    ['Vary', 'Accept-Encoding'],
    ['Accept-Encoding', 'gzip, identity;q=0'],
    'accept-encoding',
  ],
  [
    'Accept-Encoding with one coding alone',
    ['Vary', 'Accept-Encoding'],
    ['Accept-Encoding', 'gzip, *;q=0.0'],
    'accept-encoding',
  ],
  [
    'Accept-Encoding with plain bodies and nothing else',
    ['Vary', 'Accept-Encoding'],
    ['Accept-Encoding', 'identity;q=0.5, *;q=0'],
    undefined,
  ],
])('with %s', (_, stored, request, field) => {
  expect(variesBy(stored, request)).toBe(field);
});
