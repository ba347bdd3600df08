import { expect, test } from 'vitest';
import { preferredType } from './accept.ts';

const json = 'application/json';
const lines = 'application/x-ndjson';

test.each([
  [undefined, json],
  ['', json],
  ['*/*', json],
  ['application/*', json],
  [lines, lines],
  ['Application/X-NDJSON', lines],
  [`${lines}, */*`, json],
  [`${lines}, */*;q=0.5`, lines],
  [`${json};q=0.4, ${lines};q=0.6`, lines],
  [`*/*, ${json};q=0`, lines],
  [`${json}; charset=utf-8`, json],
  ['text/html', undefined],
  [`${lines};q=0`, undefined],
  [`${lines};q=never`, undefined],
])('Accept: %s', (accept, type) => {
  const headers = accept === undefined ? [] : ['Accept', accept];
  expect(preferredType(headers, [json, lines])).toBe(type);
});
