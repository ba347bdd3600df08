import { describe, expect, it } from 'vitest';
import { attemptKeys } from './throttle.ts';

describe('an attempt', () => {
  it('is counted by its address and by its credential, as far as they are known', () => {
    expect(attemptKeys('192.0.2.1', 'h')).toEqual(['address:192.0.2.1', 'credential:h']);
    expect(attemptKeys('192.0.2.1')).toEqual(['address:192.0.2.1']);
    expect(attemptKeys(undefined)).toEqual([]);
  });
});
