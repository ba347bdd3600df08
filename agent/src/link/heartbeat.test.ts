import { Heartbeat, type Movement } from '@pullwire/shared';
import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from './manual-clock.ts';

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
  it('pings a quiet link and takes any byte that comes in for an answer', () => {
    clock.advance(10_000);
    moved = { ...moved, received: 101 };
    clock.advance(4_000);
    clock.advance(10_000);
    expect(log).toEqual(['ping at 10000', 'ping at 24000']);
  });

  it('says nothing on a link over which something was received', () => {
    for (let beat = 0; beat < 5; beat += 1) {
      moved = { ...moved, received: moved.received + 1 };
      clock.advance(10_000);
    }
    expect(log).toEqual([]);
  });

  it('finds a silent link dead within two heartbeats', () => {
    clock.advance(60_000);
    expect(log).toEqual(['ping at 10000', 'dead at 14000']);
    expect(clock.pending).toBe(0);
  });

  it('finds a link dead whose send queue stands still, though more is queued', () => {
    moved = { received: 100, sent: 100, waiting: 50, inKernelQueue: 50 };
    clock.advance(10_000);
    moved = { received: 100, sent: 100, waiting: 90, inKernelQueue: 50 };
    clock.advance(4_000);
    expect(log).toEqual(['ping at 10000', 'dead at 14000']);
  });

  it('waits on as long as the kernel takes what is queued, in whole writes or in parts of one', () => {
    moved = { received: 100, sent: 100, waiting: 200_000, inKernelQueue: 200_000 };
    clock.advance(10_000);
    moved = { received: 100, sent: 100, waiting: 200_000, inKernelQueue: 150_000 };
    clock.advance(4_000);
    moved = { received: 100, sent: 200_100, waiting: 0, inKernelQueue: 0 };
    clock.advance(4_000);
    expect(log).toEqual(['ping at 10000']);
    clock.advance(4_000);
    expect(log).toEqual(['ping at 10000', 'dead at 22000']);
  });

  it('takes new settings while it runs', () => {
    clock.advance(9_000);
    heartbeat.start({ intervalMs: 2_000, timeoutMs: 1_000 });
    clock.advance(3_000);
    expect(log).toEqual(['ping at 11000', 'dead at 12000']);
  });

  it('leaves no timer when it is stopped', () => {
    heartbeat.stop();
    expect(clock.pending).toBe(0);
  });
});
