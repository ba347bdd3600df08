import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { errorCodes, isRetrySafe } from './error-code.ts';

const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');

test('docs/errors.md has a heading for each code and no other, with its status', () => {
  const documented = [...page.matchAll(/^### (\S+)\n(\d{3})/gm)].map((match) => [
    match[1],
    Number(match[2]),
  ]);
  const known = Object.entries(errorCodes).map(([code, { status }]) => [code, status]);
  expect(documented.sort()).toEqual(known.sort());
});

test.each([
  ['busy', 'POST', true],
  ['upstream-timeout', 'POST', false],
  ['upstream-timeout', 'GET', true],
  ['link-lost', 'PUT', true],
  ['link-lost', 'PATCH', false],
] as const)('%s with %s: retry safe %s', (code, method, safe) => {
  expect(isRetrySafe(code, method)).toBe(safe);
});
