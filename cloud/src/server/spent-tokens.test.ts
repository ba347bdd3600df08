import { ManualClock } from '@pullwire/shared/manual-clock';
import { beforeEach, describe, expect, it } from 'vitest';
import { MemorySpentTokens } from './spent-tokens.ts';

let clock: ManualClock;
let tokens: MemorySpentTokens;

beforeEach(() => {
  clock = new ManualClock();
  tokens = new MemorySpentTokens(clock);
});

describe('a token', () => {
  it('is spent once, for its device', () => {
    expect(tokens.spend('a', 'one', 300)).toBe(true);
    expect(tokens.spend('a', 'one', 300)).toBe(false);
    expect(tokens.spend('b', 'one', 300)).toBe(true);
    expect(tokens.spend('a', 'two', 300)).toBe(true);
  });

  it('is remembered until it has expired everywhere, and no longer', () => {
    tokens.spend('a', 'one', 300);
    clock.advance(330_000);
    tokens.sweep();
    expect(tokens.spend('a', 'one', 300)).toBe(false);
    clock.advance(31_000);
    tokens.sweep();
    expect(tokens.size).toBe(0);
  });

  it('of a device that dials without end is refused after 512, and again taken when those have expired', () => {
    for (let at = 0; at < 512; at += 1) expect(tokens.spend('a', `t${at}`, 300)).toBe(true);
    expect(() => tokens.spend('a', 'more', 300)).toThrow('512 links');
    expect(tokens.spend('b', 'other', 300)).toBe(true);
    clock.advance(400_000);
    expect(tokens.spend('a', 'more', 700)).toBe(true);
  });
});
