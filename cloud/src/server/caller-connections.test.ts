import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { ManualClock } from '@pullwire/shared/manual-clock';
import { describe, expect, test } from 'vitest';
import { CallerConnections } from './caller-connections.ts';

const socket = (): Socket => new EventEmitter() as Socket;

function bench() {
  const clock = new ManualClock();
  const connections = new CallerConnections(clock);
  let over = false;
  return {
    clock,
    connections,
    /** Begins to wait: a second of silence, five at most. */
    wait: () => {
      const gone = connections.gone(1_000, 5_000).then(() => {
        over = true;
      });
      return gone;
    },
    isOver: async () => {
      await new Promise((resolve) => setImmediate(resolve));
      return over;
    },
  };
}

describe('connections of callers', () => {
  test('where there are none, nothing is waited for', async () => {
    const b = bench();
    await b.wait();
    expect(b.clock.pending).toBe(0);
  });

  test('they are gone with the last one that closed, or was told to, or is an agent’s', async () => {
    const b = bench();
    const sockets = [socket(), socket(), socket()] as const;
    for (const one of sockets) b.connections.opened(one);
    const gone = b.wait();
    sockets[0].emit('close');
    b.connections.leave(sockets[1]);
    expect(await b.isOver()).toBe(false);
    b.connections.leave(sockets[2]);
    await gone;
    expect([b.clock.pending, sockets[2].listenerCount('close')]).toEqual([0, 0]);
  });

  test('those that are silent are waited for as long as others are used, and not for ever', async () => {
    const b = bench();
    const sockets = Array.from({ length: 7 }, socket);
    for (const one of sockets) b.connections.opened(one);
    const gone = b.wait();
    for (const one of sockets.slice(0, 5)) {
      b.clock.advance(900);
      b.connections.leave(one);
      expect(await b.isOver()).toBe(false);
    }
    b.clock.advance(499);
    expect(await b.isOver()).toBe(false);
    b.clock.advance(1);
    await gone;
  });

  test('a second without a use is enough', async () => {
    const b = bench();
    b.connections.opened(socket());
    const gone = b.wait();
    b.clock.advance(1_000);
    await gone;
    expect(b.clock.pending).toBe(0);
  });
});
