import type { ErrorCode } from '@pullwire/shared';
import { expect, test } from 'vitest';
import { mayRepeat } from './pull-repeat.ts';

test.each<[ErrorCode, string, boolean, boolean]>([
  // Nothing was executed: any method.
  ['busy', 'POST', true, true],
  ['agent-draining', 'POST', true, true],
  ['link-full', 'DELETE', true, true],
  ['device-offline', 'PATCH', true, true],
  ['link-lost', 'POST', false, true],
  // The agent may have acted: safe methods only.
  ['link-lost', 'GET', true, true],
  ['link-lost', 'HEAD', true, true],
  ['link-lost', 'OPTIONS', true, true],
  ['link-lost', 'QUERY', true, true],
  ['link-lost', 'POST', true, false],
  ['link-lost', 'PUT', true, false],
  ['link-lost', 'DELETE', true, false],
  ['link-lost', 'PATCH', true, false],
  ['link-lost', 'get', true, false],
  // The device's answer, or the caller's own limits.
  ['rate-limited', 'GET', true, false],
  ['upstream-unreachable', 'GET', true, false],
  ['refused-by-policy', 'GET', true, false],
  ['deadline-exceeded', 'GET', true, false],
  ['relay-error', 'GET', true, false],
  ['request-head-too-large', 'GET', false, false],
])('a pull that ended with %s, %s, sent %s, may be repeated: %s', (code, method, sent, may) => {
  expect(mayRepeat(code, method, sent)).toBe(may);
});
