import { PullFault } from '@pullwire/shared';
import { ManualClock } from '@pullwire/shared/manual-clock';
import { describe, expect, test } from 'vitest';
import { HandshakeGate } from './handshake-gate.ts';

function bench(most = 10) {
  const clock = new ManualClock();
  let lateMs = 0;
  let said = 0;
  const gate = new HandshakeGate({
    clock,
    most,
    lateMs: () => lateMs,
    shedding: () => {
      said += 1;
    },
  });
  const enter = (count: number) => {
    for (let n = 0; n < count; n += 1) gate.enter();
  };
  return {
    clock,
    gate,
    enter,
    /** Milliseconds after which one who was sent away should come again. */
    sentAway: (): number => {
      try {
        gate.enter();
      } catch (error) {
        if (error instanceof PullFault && error.code === 'relay-overloaded') {
          return error.retryAfterMs ?? Number.NaN;
        }
        throw error;
      }
      throw new Error('the gate let it in');
    },
    late: (ms: number) => {
      lateMs = ms;
    },
    get said() {
      return said;
    },
  };
}

describe('the handshake gate', () => {
  test('lets in as many as may be under way, and one more for each that leaves', () => {
    const b = bench();
    b.enter(10);
    b.sentAway();
    b.gate.leave();
    b.enter(1);
    b.sentAway();
    expect(b.gate.underWay).toBe(10);
  });

  test('gives each one that it sends away a turn of its own, after those under way', () => {
    const b = bench();
    b.enter(10);
    expect([b.sentAway(), b.sentAway(), b.sentAway()]).toEqual([40, 44, 48]);
    b.clock.advance(20);
    expect(b.sentAway()).toBe(40);
    b.clock.advance(10_000);
    expect(b.sentAway()).toBe(40);
  });

  test('learns how long handshakes take while it is full', () => {
    const b = bench();
    b.enter(10);
    b.sentAway();
    for (let n = 0; n < 60; n += 1) {
      b.clock.advance(10);
      b.gate.leave();
      b.enter(1);
    }
    // Half of what it guessed and half of what it saw: 10 under way, 7 ms each.
    b.clock.advance(10_000);
    expect(b.sentAway()).toBe(70);
  });

  test('sends nobody away for more than half a minute', () => {
    const b = bench();
    b.enter(10);
    for (let n = 0; n < 20_000; n += 1) b.sentAway();
    expect(b.sentAway()).toBe(30_000);
  });

  test('lets in only a few while the event loop is late', () => {
    const b = bench();
    b.late(101);
    b.enter(8);
    b.sentAway();
    b.late(100);
    b.enter(2);
    b.sentAway();
  });

  test('says so once while it goes on, and again after it was quiet', () => {
    const b = bench();
    b.enter(10);
    b.sentAway();
    b.clock.advance(9_000);
    b.sentAway();
    b.clock.advance(9_000);
    b.sentAway();
    expect(b.said).toBe(1);
    b.clock.advance(10_001);
    b.sentAway();
    expect(b.said).toBe(2);
  });
});
