import type { Movement } from '@pullwire/shared';
import { ManualClock } from '@pullwire/shared/manual-clock';
import { describe, expect, test } from 'vitest';
import { KeepAlive } from './keep-alive.ts';

const intervalMs = 80_000;
const timeoutMs = 5_000;

function bench(settings = { intervalMs, timeoutMs }) {
  const clock = new ManualClock();
  const said: number[] = [];
  let movement: Movement = { received: 0, sent: 0, waiting: 0, inKernelQueue: 0 };
  let dead = 0;
  /** What a gateway does with each. */
  let answers = true;
  const move = (change: Partial<Movement>): void => {
    movement = { ...movement, ...change };
  };
  const keepAlive = new KeepAlive(clock, {
    movement: () => movement,
    say: () => {
      said.push(clock.monotonic());
      move({ sent: movement.sent + 30 });
      if (answers) clock.after(50, () => move({ received: movement.received + 30 }));
    },
    dead: () => {
      dead += 1;
    },
  });
  keepAlive.start(settings);
  return {
    clock,
    said,
    move,
    keepAlive,
    dead: () => dead,
    sends: () => move({ sent: movement.sent + 1 }),
    hears: () => move({ received: movement.received + 1 }),
    goSilent: () => {
      answers = false;
    },
  };
}

describe('keep-alive messages', () => {
  test('an idle link says one an interval, no more and no fewer', () => {
    const b = bench();
    b.clock.advance(10 * intervalMs);
    const expected = Array.from({ length: 10 }, (_, i) => (i + 1) * intervalMs);
    expect(b.said).toEqual(expected);
    expect(b.dead()).toBe(0);
  });

  test('a link on which messages go both ways says none', () => {
    const b = bench();
    for (let ms = 0; ms < 5 * intervalMs; ms += 20_000) {
      b.sends();
      b.hears();
      b.clock.advance(20_000);
    }
    expect(b.said).toEqual([]);
  });

  test('a link that only receives speaks within the interval, since a gateway may count only that', () => {
    const b = bench();
    for (let ms = 0; ms < 3 * intervalMs; ms += 10_000) {
      b.hears();
      b.clock.advance(10_000);
    }
    expect(b.said).toEqual([intervalMs, 2 * intervalMs, 3 * intervalMs]);
  });

  test('a link that only sends asks for proof within the interval', () => {
    const b = bench();
    for (let ms = 0; ms < 2 * intervalMs; ms += 10_000) {
      b.sends();
      b.clock.advance(10_000);
    }
    expect(b.said).toEqual([intervalMs, 2 * intervalMs]);
  });

  test('after traffic the next one is due within an interval of its last message', () => {
    const b = bench();
    b.clock.advance(45_000);
    b.sends();
    b.hears();
    b.clock.advance(intervalMs);
    expect(b.said).toHaveLength(1);
    expect(b.said[0]).toBeGreaterThan(45_000 + (intervalMs * 7) / 8 - 10_000);
    expect(b.said[0]).toBeLessThanOrEqual(45_000 + intervalMs);
  });

  test('no answer in time: the link is dead, which is told once', () => {
    const b = bench();
    b.goSilent();
    b.clock.advance(intervalMs + timeoutMs - 1);
    expect(b.dead()).toBe(0);
    b.clock.advance(1);
    expect(b.dead()).toBe(1);
    b.clock.advance(10 * intervalMs);
    expect([b.dead(), b.clock.pending]).toEqual([1, 0]);
  });

  test('whatever comes is an answer', () => {
    const b = bench();
    b.goSilent();
    b.clock.advance(intervalMs + 1_000);
    b.hears();
    b.clock.advance(timeoutMs);
    expect(b.dead()).toBe(0);
  });

  test('a slow uplink that still moves is not dead', () => {
    const b = bench();
    b.goSilent();
    b.move({ waiting: 200_000, sent: 1 });
    b.clock.advance(intervalMs);
    for (let i = 2; i < 10; i += 1) {
      b.move({ sent: i * 1_000 });
      b.clock.advance(timeoutMs);
    }
    expect(b.dead()).toBe(0);
    b.clock.advance(timeoutMs);
    expect(b.dead()).toBe(1);
  });

  test('stop leaves no timer behind, and a new start has the new settings', () => {
    const b = bench();
    b.keepAlive.stop();
    expect(b.clock.pending).toBe(0);
    b.keepAlive.start({ intervalMs: 8_000, timeoutMs });
    b.clock.advance(16_000);
    expect(b.said).toEqual([8_000, 16_000]);
  });
});
