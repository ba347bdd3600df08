import { PullFault } from '@pullwire/shared';
import { expect, test } from 'vitest';
import { problem } from './problem.ts';

const parse = (body: Uint8Array): unknown => JSON.parse(Buffer.from(body).toString());

test('a problem says what happened, how far the pull came, and whether a retry is safe', () => {
  const fault = new PullFault('upstream-timeout', 'upstream', { detail: 'too slow' });
  const answer = problem(fault, { method: 'POST', answeredBy: 'agent', pullId: 'p1' });
  expect(answer.status).toBe(504);
  expect(parse(answer.body)).toEqual({
    type: '/docs/errors#upstream-timeout',
    title: 'The upstream took too long to answer',
    status: 504,
    detail: 'too slow',
    code: 'upstream-timeout',
    stage: 'upstream',
    retrySafe: false,
    pullId: 'p1',
  });
  expect(answer.headers).toEqual([
    ...['Content-Type', 'application/problem+json', 'Cache-Control', 'no-store'],
    ...['Pullwire-Answered-By', 'agent', 'Pullwire-Pull', 'p1'],
  ]);
});

test('extra members of an agent cannot overwrite what the relay says', () => {
  const extra = { status: 200, code: 'fine', exitCode: 3 };
  const fault = new PullFault('command-failed', 'upstream', { detail: 'd', extra });
  const body = parse(problem(fault, { method: 'GET', answeredBy: 'agent' }).body);
  expect(body).toMatchObject({ status: 502, code: 'command-failed', exitCode: 3, retrySafe: true });
});

test('Retry-After is in whole seconds and at least one', () => {
  const fault = new PullFault('busy', 'agent-accept', { detail: 'd', retryAfterMs: 10 });
  const { headers } = problem(fault, { method: 'GET', answeredBy: 'agent' });
  expect(headers[headers.indexOf('Retry-After') + 1]).toBe('1');
});

test('a 401 names the scheme', () => {
  const fault = new PullFault('caller-unauthenticated', 'caller-auth', { detail: 'd' });
  expect(problem(fault, { method: 'GET', answeredBy: 'relay' }).headers).toContain(
    'WWW-Authenticate',
  );
});
