import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Allowance, Window, WireError } from './index.ts';

describe('Allowance', () => {
  it('lets a body run up to its limit', () => {
    const allowance = new Allowance(100);
    allowance.spend(60);
    expect([allowance.available, allowance.spent]).toEqual([40, 60]);
    expect(() => allowance.spend(41)).toThrow(RangeError);
    allowance.spend(40);
    expect(allowance.available).toBe(0);
  });

  it('rises with the greatest limit seen; late and repeated ones change nothing', () => {
    const allowance = new Allowance(100);
    expect(allowance.raise(300)).toBe(true);
    expect(allowance.raise(300)).toBe(false);
    expect(allowance.raise(200)).toBe(false);
    expect(allowance.limit).toBe(300);
  });

  it('counts what went inside the pull, which needed no credit', () => {
    const allowance = new Allowance(0, 500);
    expect(allowance.available).toBe(0);
    allowance.raise(600);
    expect(allowance.available).toBe(100);
  });
});

describe('Window', () => {
  it('takes what was granted, and refuses a byte more', () => {
    const window = new Window(100);
    window.received(100);
    expect(() => window.received(1)).toThrow(WireError);
  });

  it('opens once a quarter of it has been taken', () => {
    const window = new Window(100);
    window.received(100);
    expect(window.taken(24)).toBeUndefined();
    expect(window.taken(25)).toBe(125);
    expect(window.taken(49)).toBeUndefined();
    expect(window.taken(60)).toBe(160);
    expect(window.limit).toBe(160);
  });

  it('never takes a limit back', () => {
    const window = new Window(100);
    expect(window.taken(50)).toBe(150);
    expect(window.taken(10)).toBeUndefined();
    expect(window.limit).toBe(150);
  });

  it('begins after what came inside the pull', () => {
    const window = new Window(100, 30);
    expect(window.limit).toBe(130);
    window.received(100);
    expect(() => window.received(1)).toThrow(WireError);
    expect(window.taken(30)).toBeUndefined();
    expect(window.taken(55)).toBe(155);
  });
});

describe('both sides together', () => {
  it('no sender that keeps to its allowance breaks the window, and every body gets through', () => {
    const steps = fc.array(fc.record({ send: fc.nat(90), take: fc.nat(90), late: fc.nat(5) }), {
      minLength: 1,
      maxLength: 200,
    });
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 200 }), fc.nat(100), (list, size, inPull) => {
        const allowance = new Allowance(0, inPull);
        const window = new Window(size, inPull);
        const grants = [window.limit];
        let taken = 0;
        for (const { send, take, late } of list) {
          // Credit messages may come late, twice and in any order.
          allowance.raise(grants[Math.max(0, grants.length - 1 - late)] ?? 0);
          const bytes = Math.min(send, allowance.available);
          allowance.spend(bytes);
          window.received(bytes);
          taken = Math.min(allowance.spent, taken + take);
          const limit = window.taken(taken);
          if (limit !== undefined) grants.push(limit);
          expect(allowance.spent - taken).toBeLessThanOrEqual(size + inPull);
        }
        // Once all is taken and every grant has arrived, at least three quarters are open again.
        const last = window.taken(allowance.spent) ?? window.limit;
        allowance.raise(last);
        expect(allowance.available * 4).toBeGreaterThan(size * 3 - 4);
      }),
    );
  });
});
