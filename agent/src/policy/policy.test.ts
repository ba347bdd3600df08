import { PullFault } from '@pullwire/shared';
import { describe, expect, it } from 'vitest';
import type { AdmissionRequest } from '../pull/policed-source.ts';
import { Policy, type PolicyConfig } from './policy.ts';

const get: AdmissionRequest = { method: 'GET', path: '/metrics', bodyLength: 0, caller: 'ops' };

function policyOf(overrides: Partial<PolicyConfig['limits']> = {}, allow?: PolicyConfig['allow']) {
  const clock = { now: 0 };
  const config: PolicyConfig = {
    allow: allow ?? [{ methods: ['GET', 'HEAD'], paths: ['/metrics', '/api/*'] }],
    limits: { requestBytes: 100, pulls: 2, rate: null, ...overrides },
  };
  return { clock, policy: new Policy('metrics', config, () => clock.now) };
}

function refusal(policy: Policy, request: Partial<AdmissionRequest>): PullFault {
  try {
    policy.admit({ ...get, ...request });
  } catch (error) {
    if (error instanceof PullFault) return error;
    throw error;
  }
  throw new Error('was let in');
}

describe('a policy', () => {
  it('hands over the decoded segments of what it lets in', () => {
    expect(policyOf().policy.admit({ ...get, path: '/api/a%20b' }).segments).toEqual([
      'api',
      'a b',
    ]);
  });

  it('refuses everything where nothing is allowed', () => {
    const { policy } = policyOf({}, []);
    expect(refusal(policy, {})).toMatchObject({ code: 'refused-by-policy', status: 403 });
    expect(refusal(policy, {}).message).toBe(
      'source "metrics" allows nothing; asked: GET /metrics',
    );
  });

  it.each([
    ['another method', { method: 'POST' }],
    ['the same method in lower case', { method: 'get' }],
    ['another path', { path: '/admin' }],
  ])('refuses %s and says what is allowed', (_what, request) => {
    const fault = refusal(policyOf().policy, request);
    expect(fault).toMatchObject({ code: 'refused-by-policy', stage: 'policy' });
    expect(fault.message).toContain('allows GET, HEAD on /metrics, /api/*; asked: ');
  });

  it('may ask for the caller as well, and tells nobody what others may', () => {
    const { policy } = policyOf({ pulls: 100 }, [
      { methods: ['GET'], paths: ['/metrics'] },
      { methods: ['GET'], paths: ['/secret'], callers: ['audit', 'team-*'] },
    ]);
    for (const caller of ['audit', 'team-a']) policy.admit({ ...get, path: '/secret', caller });
    policy.admit(get);
    for (const caller of ['ops', 'Audit', 'audit ', '']) {
      const fault = refusal(policy, { path: '/secret', caller });
      expect(fault).toMatchObject({ code: 'refused-by-policy', status: 403 });
      expect(fault.message).toBe('source "metrics" allows GET on /metrics; asked: GET /secret');
    }
  });

  it('takes method and path together, not the one from here and the other from there', () => {
    const { policy } = policyOf({}, [
      { methods: ['GET'], paths: ['/read'] },
      { methods: ['POST'], paths: ['/write'] },
    ]);
    expect(refusal(policy, { path: '/write' }).code).toBe('refused-by-policy');
    policy.admit({ ...get, method: 'POST', path: '/write' });
  });

  it('keeps a long refusal within what a fault may say', () => {
    const fault = refusal(policyOf().policy, { path: `/${'x'.repeat(9_000)}` });
    expect(fault.message.length).toBeLessThan(500);
  });

  it('refuses a body that is declared too large, and counts one of unknown length later', () => {
    const { policy } = policyOf();
    const fault = refusal(policy, { bodyLength: 101 });
    expect(fault).toMatchObject({ code: 'request-body-too-large', status: 413 });
    policy.admit({ ...get, bodyLength: 100 });
    policy.admit({ ...get, bodyLength: undefined });
    expect(policy.requestBytes).toBe(100);
  });

  it('refuses every body where none is taken', () => {
    const { policy } = policyOf({ requestBytes: 0 });
    expect(refusal(policy, { bodyLength: 1 }).message).toContain('takes no request body');
    expect(refusal(policy, { bodyLength: undefined }).code).toBe('request-body-too-large');
    policy.admit(get);
  });

  it('refuses a length that is not a number', () => {
    expect(refusal(policyOf().policy, { bodyLength: Number.NaN }).code).toBe('bad-request');
  });

  it('says busy while too many pulls are in flight, and releases each place once', () => {
    const { policy } = policyOf();
    const first = policy.admit(get);
    policy.admit(get);
    expect(refusal(policy, {})).toMatchObject({ code: 'busy', status: 429, retryAfterMs: 1_000 });
    first.release();
    first.release();
    expect(policy.inFlight).toBe(1);
    policy.admit(get);
    expect(refusal(policy, {}).code).toBe('busy');
  });

  it('limits the rate and says when to come back', () => {
    const { policy, clock } = policyOf({ rate: { perSecond: 1, burst: 1 } });
    policy.admit(get);
    expect(refusal(policy, {})).toMatchObject({
      code: 'rate-limited',
      status: 429,
      retryAfterMs: 1_000,
    });
    clock.now += 1_000;
    policy.admit(get);
  });

  it('checks in the order path, allowed, body, rate, in flight', () => {
    const { policy } = policyOf({ rate: { perSecond: 1, burst: 1 }, pulls: 1 });
    policy.admit(get);
    const worst = { method: 'POST', path: '/../x', bodyLength: 101 };
    expect(refusal(policy, worst).code).toBe('path-refused');
    expect(refusal(policy, { ...worst, path: '/x' }).code).toBe('refused-by-policy');
    expect(refusal(policy, { bodyLength: 101 }).code).toBe('request-body-too-large');
    expect(refusal(policy, {}).code).toBe('rate-limited');
  });
});
