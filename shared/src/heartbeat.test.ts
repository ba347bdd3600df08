import { describe, expect, test } from 'vitest';
import { Heartbeat, type HeartbeatSettings, type Proof } from './heartbeat.ts';
import { ManualClock } from './manual-clock.ts';
import type { Movement } from './movement.ts';

const settings: HeartbeatSettings = { intervalMs: 16_000, timeoutMs: 4_000 };

function bench(proof: Proof, own = settings) {
  const clock = new ManualClock();
  const log: string[] = [];
  let unacknowledged: number | undefined;
  let moved: Movement = { received: 100, sent: 100, waiting: 0, inKernelQueue: 0 };
  const move = (change: Partial<Movement>): void => {
    moved = { ...moved, ...change };
  };
  const say = (what: string): void => {
    log.push(`${what} at ${clock.monotonic()}`);
  };
  const heartbeat = new Heartbeat(clock, proof, own, {
    ping: () => {
      say('ping');
      if (moved.waiting > 0) move({ waiting: moved.waiting + 6 });
      else move({ sent: moved.sent + 6 });
      if (peer.answers) clock.after(50, () => peer.answer());
    },
    reassure: () => say('pong'),
    movement: () => moved,
    unacknowledged: () => unacknowledged,
    held: (quietMs) => say(`held ${quietMs}`),
    dead: () => say('dead'),
  });
  const peer = {
    answers: false,
    answer: (): void => {
      move({ received: moved.received + 2 });
      heartbeat.answered();
    },
    sends: (bytes: number): void => move({ received: moved.received + bytes }),
  };
  /** So much is in the system's queue. */
  const queue = (bytes: number): void => {
    unacknowledged = bytes;
  };
  heartbeat.start();
  return { clock, log, move, queue, heartbeat, peer, moved: () => moved };
}

describe('the side that proves both directions', () => {
  test('asks a quiet link once an interval, and learns how long it was silent', () => {
    const b = bench('both-ways');
    b.peer.answers = true;
    b.clock.advance(33_000);
    expect(b.log).toEqual([
      'ping at 16000',
      'held 16000 at 16050',
      'ping at 32050',
      'held 16000 at 32100',
    ]);
  });

  test('finds a silent link dead within an interval and the time for the answer', () => {
    const b = bench('both-ways');
    b.clock.advance(60_000);
    expect(b.log).toEqual(['ping at 16000', 'dead at 20000']);
    expect(b.clock.pending).toBe(0);
  });

  test('a path that brings the peer’s pings but takes none of ours to it is dead within two intervals', () => {
    const b = bench('both-ways');
    for (let second = 0; second < 40; second += 1) {
      b.peer.sends(8);
      b.clock.advance(1_000);
    }
    expect(b.log).toEqual(['ping at 16000', 'dead at 32000']);
  });

  test('a path that brings data but takes nothing is dead once more has come than an answer waits behind', () => {
    const b = bench('both-ways');
    for (let second = 0; second < 120; second += 1) {
      b.peer.sends(40_000);
      b.clock.advance(1_000);
    }
    expect(b.log.filter((line) => !line.startsWith('pong'))).toEqual([
      'ping at 16000',
      'dead at 48000',
    ]);
  });

  test('an answer that waits behind a slow download is waited for', () => {
    const b = bench('both-ways');
    for (let second = 0; second < 70; second += 1) {
      b.peer.sends(10_000);
      b.clock.advance(1_000);
    }
    b.peer.answer();
    expect(b.log.filter((line) => !line.startsWith('pong'))).toEqual([
      'ping at 16000',
      'held 0 at 70000',
    ]);
  });

  test('a peer that says unasked that it hears is not asked', () => {
    const b = bench('both-ways');
    for (let at = 0; at < 100_000; at += 8_000) {
      b.clock.advance(8_000);
      b.peer.answer();
    }
    expect(b.log).toEqual([]);
  });

  test('silence counts from the last byte either way, and a link with data held nothing', () => {
    const b = bench('both-ways');
    b.peer.answers = true;
    b.clock.advance(12_000);
    b.move({ sent: b.moved().sent + 500 });
    b.clock.advance(5_000);
    expect(b.log).toEqual(['ping at 16000', 'held 2000 at 16050']);
  });

  test('when it is over, the silence before the unanswered ping is known', () => {
    const b = bench('both-ways');
    b.clock.advance(20_000);
    expect(b.heartbeat.quietMs).toBe(16_000);
  });

  test('goes on at another pace', () => {
    const b = bench('both-ways');
    b.peer.answers = true;
    b.clock.advance(16_000);
    b.heartbeat.adapt({ intervalMs: 40_000, timeoutMs: 4_000 });
    b.clock.advance(60_000);
    expect(b.log.filter((line) => line.startsWith('ping'))).toEqual([
      'ping at 16000',
      'ping at 56050',
    ]);
  });
});

describe('the side that is spoken to', () => {
  test('says nothing while the peer asks, at the same pace', () => {
    const b = bench('peer-speaks');
    for (let at = 0; at < 10; at += 1) {
      b.clock.advance(16_000);
      b.peer.sends(6);
    }
    expect(b.log).toEqual([]);
  });

  test('asks into silence an eighth later, takes any byte for an answer, and finds it dead within two intervals', () => {
    const b = bench('peer-speaks');
    b.clock.advance(19_000);
    b.peer.sends(1);
    b.clock.advance(60_000);
    expect(b.log).toEqual(['ping at 18000', 'ping at 38000', 'dead at 42000']);
  });

  test('a time-out longer than the interval counts as the interval', () => {
    const b = bench('peer-speaks', { intervalMs: 8_000, timeoutMs: 60_000 });
    b.clock.advance(100_000);
    expect(b.log).toEqual(['ping at 9000', 'dead at 17000']);
  });
});

describe.each(['both-ways', 'peer-speaks'] as const)('a heartbeat, %s', (proof) => {
  const queued = { waiting: 200_000, inKernelQueue: 200_000 };

  test('a send queue that stands still is a dead link, though more is queued and bytes come in', () => {
    const b = bench(proof);
    b.move(queued);
    for (let at = 0; at < 40; at += 1) {
      b.peer.sends(10);
      b.clock.advance(1_000);
      b.move({ waiting: b.moved().waiting + 1_000 });
    }
    // Four times the time-out after the first look at it.
    expect(b.log.at(-1)).toBe('dead at 18000');
  });

  test('a ping behind a queue is judged with it: a path that lost some packets in a row has time to send them again', () => {
    const b = bench(proof);
    b.move(queued);
    b.clock.advance(15_000);
    b.move({ inKernelQueue: 100_000 });
    b.clock.advance(13_000);
    b.move({ inKernelQueue: 50_000 });
    b.clock.advance(15_000);
    expect(b.log.filter((line) => line.startsWith('dead'))).toEqual([]);
    b.clock.advance(4_000);
    expect(b.log.at(-1)).toBe('dead at 46000');
  });

  test('a queue that stands still is found dead within two intervals, however long the time-out', () => {
    const b = bench(proof, { intervalMs: 8_000, timeoutMs: 60_000 });
    b.move(queued);
    b.clock.advance(60_000);
    expect(b.log.at(-1)).toBe('dead at 13800');
  });

  test('as long as the system takes some of what is queued, the link is slow and alive', () => {
    const b = bench(proof);
    b.move(queued);
    for (let left = 200; left > 0; left -= 4) {
      b.clock.advance(3_000);
      b.move({ waiting: 200_006, inKernelQueue: left * 1_000 });
    }
    expect(b.log.filter((line) => line.startsWith('dead'))).toEqual([]);
    b.clock.advance(60_000);
    expect(b.log.filter((line) => line.startsWith('dead'))).toHaveLength(1);
  });

  test('a queue that the system takes in leaps only is alive as long as the peer says that it hears', () => {
    const b = bench(proof);
    b.move(queued);
    for (let at = 0; at < 20; at += 1) {
      b.clock.advance(7_000);
      b.peer.answer();
    }
    expect(b.log.filter((line) => line.startsWith('dead'))).toEqual([]);
  });

  test('where data moved, an answer has more time: it may be behind what was lost', () => {
    const b = bench(proof);
    b.clock.advance(1_000);
    b.move({ sent: 50_000 });
    b.peer.answer();
    b.clock.advance(60_000);
    const asked = proof === 'both-ways' ? 17_000 : 19_000;
    expect(b.log).toEqual([`ping at ${asked}`, `dead at ${asked + 8_000}`]);
  });

  test('a ping behind data in the system’s queue waits for as long as the peer’s system acknowledges some of that', () => {
    const b = bench(proof);
    b.move({ sent: 80_100 });
    for (let left = 80_000; left > 0; left -= 2_000) {
      b.queue(left);
      b.clock.advance(5_000);
    }
    expect(b.log.filter((line) => line.startsWith('dead'))).toEqual([]);
    // It stands still: dead when it has done so for four time-outs.
    b.clock.advance(16_000);
    expect(b.log.at(-1)).toBe('dead at 212000');
  });

  test('what is written behind the ping is not what it waits for', () => {
    const b = bench(proof);
    b.move({ sent: 10_100 });
    b.queue(10_000);
    b.clock.advance(20_000);
    for (let second = 0; second < 60; second += 1) {
      b.move({ sent: b.moved().sent + 1_000 });
      b.queue(1_000 + (second % 2) * 500);
      b.clock.advance(1_000);
    }
    expect(b.log.at(-1)).toBe('dead at 30000');
  });

  test('whoever hears data says so twice an interval, and never to control frames', () => {
    const b = bench(proof);
    b.peer.answers = true;
    for (let second = 0; second < 32; second += 1) {
      b.peer.sends(200);
      b.clock.advance(1_000);
    }
    expect(b.log.filter((line) => line.startsWith('pong'))).toEqual([
      'pong at 8000',
      'pong at 16000',
      'pong at 24000',
      'pong at 32000',
    ]);
    for (let at = 0; at < 20; at += 1) {
      b.clock.advance(4_000);
      b.peer.sends(30);
    }
    expect(b.log.filter((line) => line.startsWith('pong'))).toHaveLength(4);
  });

  test('a process that was held up judges nobody before it has read what came', () => {
    const b = bench(proof);
    b.clock.advance(18_500);
    b.clock.skip(60_000);
    b.clock.advance(1);
    expect(b.log.filter((line) => line.startsWith('dead'))).toEqual([]);
    b.clock.advance(4_000);
    expect(b.log.filter((line) => line.startsWith('dead'))).toHaveLength(1);
  });

  test('leaves no timer when it is stopped', () => {
    const b = bench(proof);
    b.heartbeat.stop();
    b.heartbeat.adapt(settings);
    expect(b.clock.pending).toBe(0);
  });
});
