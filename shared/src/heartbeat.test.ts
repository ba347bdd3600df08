import { beforeEach, describe, expect, it } from 'vitest';
import { Heartbeat } from './heartbeat.ts';
import { ManualClock } from './manual-clock.ts';
import type { Movement } from './movement.ts';

let clock: ManualClock;
let moved: Movement;
let log: string[];
let heartbeat: Heartbeat;

beforeEach(() => {
  clock = new ManualClock();
  moved = { received: 100, sent: 100, waiting: 0, inKernelQueue: 0 };
  log = [];
  heartbeat = new Heartbeat(
    clock,
    { intervalMs: 10_000, timeoutMs: 4_000 },
    {
      ping: () => log.push(`ping at ${clock.monotonic()}`),
      movement: () => moved,
      dead: () => log.push(`dead at ${clock.monotonic()}`),
    },
  );
  heartbeat.start();
});

describe('Heartbeat', () => {
  const receive = (): void => {
    moved = { ...moved, received: moved.received + 1 };
  };

  it('pings a quiet link once an interval at most, and takes any byte for an answer', () => {
    heartbeat.start({ intervalMs: 10_000, timeoutMs: 8_000 });
    for (let beat = 0; beat < 3; beat += 1) {
      clock.advance(5_000);
      receive();
      clock.advance(5_000);
    }
    expect(log).toEqual(['ping at 5000', 'ping at 15000', 'ping at 25000']);
  });

  it('says nothing on a link over which something is received', () => {
    for (let beat = 0; beat < 10; beat += 1) {
      receive();
      clock.advance(5_000);
    }
    expect(log).toEqual([]);
  });

  it('finds a silent link dead within an interval and the time for the answer', () => {
    clock.advance(5_000 - 1);
    receive();
    clock.advance(60_000);
    expect(log).toEqual(['ping at 10000', 'dead at 14000']);
    expect(clock.pending).toBe(0);
  });

  it('finds a link dead whose send queue stands still, though more is queued', () => {
    moved = { received: 100, sent: 100, waiting: 50, inKernelQueue: 50 };
    clock.advance(5_000);
    moved = { received: 100, sent: 100, waiting: 90, inKernelQueue: 50 };
    clock.advance(4_000);
    expect(log).toEqual(['ping at 5000', 'dead at 9000']);
  });

  it('waits on as long as the kernel takes what is queued, in whole writes or in parts of one', () => {
    moved = { received: 100, sent: 100, waiting: 200_000, inKernelQueue: 200_000 };
    clock.advance(5_000);
    moved = { received: 100, sent: 100, waiting: 200_000, inKernelQueue: 150_000 };
    clock.advance(4_000);
    moved = { received: 100, sent: 200_100, waiting: 0, inKernelQueue: 0 };
    clock.advance(4_000);
    expect(log).toEqual(['ping at 5000']);
    clock.advance(4_000);
    expect(log).toEqual(['ping at 5000', 'dead at 17000']);
  });

  it('takes an answer that comes late but before the time is up', () => {
    heartbeat.start({ intervalMs: 10_000, timeoutMs: 10_000 });
    clock.advance(14_999);
    receive();
    clock.advance(1);
    expect(log).toEqual(['ping at 5000']);
  });

  it('takes new settings while it runs', () => {
    clock.advance(4_000);
    heartbeat.start({ intervalMs: 2_000, timeoutMs: 500 });
    clock.advance(3_000);
    expect(log).toEqual(['ping at 5000', 'dead at 5500']);
  });

  it('leaves no timer when it is stopped', () => {
    heartbeat.stop();
    expect(clock.pending).toBe(0);
  });
});
