import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { BufferCollector, codecFor, type HeartbeatTerms } from '@pullwire/shared';
import { ManualClock } from '@pullwire/shared/manual-clock';
import { describe, expect, test } from 'vitest';
import type { WebSocket } from 'ws';
import { AgentSocket } from './agent-socket.ts';

const heartbeat: HeartbeatTerms = { intervalMs: 16_000, timeoutMs: 4_000, maxIntervalMs: 80_000 };

class FakeTransport extends EventEmitter {
  bytesRead = 0;
  bytesWritten = 0;
  writableLength = 0;
  cork(): void {}
  uncork(): void {}
}

class FakeWebSocket extends EventEmitter {
  readonly log: string[] = [];
  bufferedAmount = 0;
  ping(): void {
    this.log.push('ping');
  }
  terminate(): void {
    this.log.push('terminate');
  }
}

function bench() {
  const clock = new ManualClock();
  const ws = new FakeWebSocket();
  const transport = new FakeTransport();
  const closed: string[] = [];
  const socket = new AgentSocket({
    connectionId: 'c1',
    // Both are emitters with no more than an AgentSocket uses of the real ones.
    ws: ws as unknown as WebSocket,
    socket: transport as unknown as Socket,
    codec: codecFor('pullwire.v1+bin'),
    clock,
    heartbeat,
    collector: new BufferCollector(),
    events: {
      message: () => undefined,
      room: () => undefined,
      pinged: () => undefined,
      closed: (why) => closed.push(why),
    },
  });
  socket.start();
  return { clock, ws, transport, socket, closed };
}

describe('the relay’s watch over an agent’s socket', () => {
  test('without a word of the agent’s it asks after its own interval and an eighth, and proof is due accordingly', () => {
    const { clock, ws, socket, closed } = bench();
    clock.advance(18_000);
    expect(ws.log).toEqual(['ping']);
    expect(socket.proofDueAt).toBe(24_000);
    clock.advance(4_000);
    expect([ws.log, closed]).toEqual([['ping', 'terminate'], ['idle']]);
  });

  test('it watches at the pace that the agent says, so that its pings do not defeat a rare heartbeat', () => {
    const { clock, ws, socket } = bench();
    socket.watch(40_000);
    expect(socket.proofDueAt).toBe(54_000);
    clock.advance(44_999);
    expect(ws.log).toEqual([]);
    clock.advance(1);
    expect(ws.log).toEqual(['ping']);
  });

  test.each([
    ['more often than the relay would', 1, 18_000],
    ['not at all', 0, 18_000],
    ['as rarely as never', 2 ** 31 - 1, 90_000],
    ['nothing any more', undefined, 18_000],
  ])('an agent that says %s is bounded', (_name, agentMs, askedAt) => {
    const { clock, ws, socket } = bench();
    socket.watch(30_000);
    socket.watch(agentMs);
    clock.advance(askedAt - 1);
    expect(ws.log).toEqual([]);
    clock.advance(1);
    expect(ws.log).toEqual(['ping']);
  });

  test('a peer that reads no more is found though it goes on sending', () => {
    const { clock, ws, transport, closed } = bench();
    transport.bytesWritten = 300_000;
    transport.writableLength = 200_000;
    for (let second = 0; second < 18; second += 1) {
      transport.bytesRead += 10;
      clock.advance(1_000);
    }
    expect(ws.log.at(-1)).toBe('terminate');
    expect(closed).toEqual(['idle']);
  });

  test('part of a frame counts from when it was seen to come in, until the frame is whole', () => {
    const { clock, ws, transport, socket } = bench();
    expect(socket.partHeardAt).toBeUndefined();
    clock.advance(1_000);
    transport.bytesRead = 10_000;
    expect(socket.partHeardAt).toBe(1_000);
    clock.advance(1_000);
    expect(socket.partHeardAt).toBe(1_000);
    transport.bytesRead = 20_000;
    expect(socket.partHeardAt).toBe(2_000);
    transport.bytesRead = 20_002;
    ws.emit('pong', Buffer.alloc(0));
    expect(socket.partHeardAt).toBeUndefined();
  });
});
