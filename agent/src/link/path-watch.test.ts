import type { Movement } from '@pullwire/shared';
import { ManualClock } from '@pullwire/shared/manual-clock';
import { describe, expect, test } from 'vitest';
import { PathWatch } from './path-watch.ts';
import { plainPace } from './plain-pace.ts';

const heartbeat = { intervalMs: 16_000, timeoutMs: 4_000 };

function bench() {
  const clock = new ManualClock();
  const log: string[] = [];
  let moved: Movement = { received: 0, sent: 0, waiting: 0, inKernelQueue: 0 };
  const say = (what: string): void => {
    log.push(what);
    moved = { ...moved, sent: moved.sent + 6 };
  };
  const watch = new PathWatch(clock, plainPace({ minMs: 1_000, maxMs: 600_000 }, clock), {
    ping: () => say('ping'),
    pong: () => say('pong'),
    keepAlive: () => say('keep-alive'),
    pace: (ms) => log.push(`watch at ${ms}`),
    movement: () => moved,
    wire: () => ({ tls: undefined, ipv6: false }),
    dead: () => log.push(`dead at ${clock.monotonic()}`),
  });
  const hear = (bytes: number): void => {
    moved = { ...moved, received: moved.received + bytes };
  };
  return { clock, log, watch, hear };
}

describe('the watch over a path', () => {
  test('pings, and takes a pong alone for an answer', () => {
    const { clock, log, watch } = bench();
    watch.start({ heartbeat, features: [] });
    clock.advance(16_000);
    watch.keptAlive();
    clock.advance(4_000);
    expect(log).toEqual(['ping', 'dead at 20000']);
  });

  test('behind a gateway says keep-alive, and takes kept-alive alone for an answer', () => {
    const { clock, log, watch } = bench();
    watch.start({ heartbeat, features: ['keep-alive'] });
    clock.advance(16_000);
    watch.keptAlive();
    clock.advance(16_000);
    watch.ponged();
    clock.advance(4_000);
    expect(log).toEqual(['keep-alive', 'keep-alive', 'dead at 36000']);
  });

  test('behind a gateway a link that takes pulls, while its answers get lost, is dead within two intervals', () => {
    const { clock, log, watch, hear } = bench();
    watch.start({ heartbeat, features: ['keep-alive'] });
    for (let second = 0; second < 40; second += 1) {
      hear(200);
      clock.advance(1_000);
    }
    expect(log).toEqual(['keep-alive', 'dead at 32000']);
  });

  test('a relay that hears data is told so, a gateway is not', () => {
    for (const [features, said] of [
      [[], ['pong']],
      [['keep-alive'], []],
    ] as const) {
      const { clock, log, watch, hear } = bench();
      watch.start({ heartbeat, features });
      hear(5_000);
      clock.advance(8_000);
      expect(log).toEqual(said);
    }
  });

  test('behind a gateway the silences grow to the most that welcome allows, and no hello tells', () => {
    const { clock, log, watch, hear } = bench();
    watch.start({ heartbeat: { ...heartbeat, maxIntervalMs: 36_000 }, features: ['keep-alive'] });
    for (const ms of [16_000, 16_000, 24_000, 24_000, 36_000, 36_000]) {
      clock.advance(ms);
      hear(60);
      watch.keptAlive();
    }
    expect(log).toEqual(Array(6).fill('keep-alive'));
    clock.advance(35_999);
    expect(log).toHaveLength(6);
  });

  test('a link that was lost after a silence that had grown proves its path more often next time', () => {
    const { clock, log, watch, hear } = bench();
    const terms = { heartbeat: { ...heartbeat, maxIntervalMs: 36_000 }, features: ['keep-alive'] };
    watch.start(terms);
    for (let beat = 0; beat < 2; beat += 1) {
      clock.advance(16_000);
      hear(60);
      watch.keptAlive();
    }
    clock.advance(24_000 + 4_000);
    expect(log.at(-1)).toBe('dead at 60000');
    watch.lost();
    watch.start(terms);
    clock.advance(16_000);
    expect(log.at(-1)).toBe('keep-alive');
  });

  test('another welcome can change the way, and leaves one watch alone', () => {
    const { clock, log, watch } = bench();
    watch.start({ heartbeat, features: [] });
    watch.start({ heartbeat, features: ['keep-alive'] });
    expect(clock.pending).toBe(1);
    clock.advance(16_000);
    watch.stop();
    expect([log, clock.pending]).toEqual([['keep-alive'], 0]);
  });
});
