import { ManualClock } from '@pullwire/shared/manual-clock';
import { beforeEach, describe, expect, it } from 'vitest';
import { AuthThrottle } from './auth-throttle.ts';

let clock: ManualClock;
let throttle: AuthThrottle;

beforeEach(() => {
  clock = new ManualClock();
  throttle = new AuthThrottle(clock);
});

const fail = (key: string, times: number) => {
  for (let i = 0; i < times; i += 1) throttle.failed([key]);
};
const passes = (...keys: string[]): boolean => {
  try {
    throttle.check(keys);
    return true;
  } catch {
    return false;
  }
};

describe('whoever fails', () => {
  it('may go on for a while, then waits', () => {
    fail('address:10.0.0.1', 19);
    expect(passes('address:10.0.0.1')).toBe(true);
    fail('address:10.0.0.1', 1);
    expect(passes('address:10.0.0.1')).toBe(false);
    expect(passes('address:10.0.0.2')).toBe(true);
  });

  it('is told when to come again, and may then', () => {
    fail('address:10.0.0.1', 20);
    let retryAfterMs = 0;
    try {
      throttle.check(['address:10.0.0.1']);
    } catch (error) {
      expect(error).toMatchObject({ code: 'too-many-attempts', status: 429 });
      retryAfterMs = (error as { retryAfterMs: number }).retryAfterMs;
    }
    clock.advance(retryAfterMs - 1);
    expect(passes('address:10.0.0.1')).toBe(false);
    clock.advance(1);
    expect(passes('address:10.0.0.1')).toBe(true);
  });

  it('cannot make the wait longer than that by trying on', () => {
    fail('address:10.0.0.1', 100_000);
    clock.advance(6_000);
    expect(passes('address:10.0.0.1')).toBe(true);
  });

  it('is stopped by any of what it is counted by', () => {
    fail('credential:abc', 20);
    expect(passes('address:10.0.0.9', 'credential:abc')).toBe(false);
    expect(passes('address:10.0.0.9', 'credential:abd')).toBe(true);
  });

  it.each([
    ['2001:db8:0:1::1', '2001:db8:0:1:ffff:0:0:2', true],
    ['2001:db8::1', '2001:0db8:0000:0000:1::', true],
    ['2001:db8:0:1::1', '2001:db8:0:2::1', false],
    ['fe80::1%eth0', 'fe80::2', true],
    ['::ffff:10.0.0.1', '10.0.0.1', true],
    ['::ffff:10.0.0.1', '::ffff:10.0.0.2', false],
  ])('at %s counts for %s: %s', (one, another, same) => {
    fail(`address:${one}`, 20);
    expect(passes(`address:${another}`)).toBe(!same);
  });

  it('is still counted where many others fail as well', () => {
    for (let i = 0; i < 30_000; i += 1)
      fail(`address:10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, 1);
    fail('address:192.0.2.1', 20);
    expect(passes('address:192.0.2.1')).toBe(false);
  });
});
