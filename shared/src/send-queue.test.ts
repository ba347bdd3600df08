import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SendQueue } from './index.ts';

/** A socket that takes what it is given when the test says so. */
class FakeSocket {
  readonly written: string[] = [];
  bufferedBytes = 0;
  onWrite: ((message: string) => void) | undefined;

  write(message: string): void {
    this.written.push(message);
    this.bufferedBytes += sizeOf(message);
    this.onWrite?.(message);
  }
}

/** Messages are `stream:number:bytes`. */
const sizeOf = (message: string): number => Number(message.split(':')[2] ?? 0);
const streamOf = (message: string): string => message.split(':')[0] ?? '';

function setUp(socketBytes = 100, streamBytes = 50) {
  const socket = new FakeSocket();
  const rooms: string[] = [];
  const queue = new SendQueue<string>(socket, {
    socketBytes,
    streamBytes,
    onRoom: (id) => rooms.push(id),
  });
  const send = (message: string) => queue.data(streamOf(message), message, sizeOf(message));
  const drain = () => {
    socket.bufferedBytes = 0;
    queue.drained();
  };
  return { socket, rooms, queue, send, drain };
}

describe('SendQueue', () => {
  it('writes at once while the socket has room', () => {
    const { send, socket, queue } = setUp();
    expect(send('a:1:60')).toBe(true);
    expect(send('b:1:40')).toBe(true);
    expect(socket.written).toEqual(['a:1:60', 'b:1:40']);
    expect([queue.queuedBytes, queue.queuedStreams]).toEqual([0, 0]);
  });

  it('never puts more data into the socket than it should hold', () => {
    const { send, socket, queue } = setUp();
    send('a:1:60');
    expect(send('a:2:41')).toBe(true);
    expect(socket.written).toEqual(['a:1:60']);
    expect([queue.queuedBytes, queue.queuedStreams]).toEqual([41, 1]);
  });

  it('writes a frame that is larger than the limit into an empty socket', () => {
    const { send, socket, drain } = setUp();
    send('a:1:500');
    send('a:2:500');
    expect(socket.written).toEqual(['a:1:500']);
    drain();
    expect(socket.written).toEqual(['a:1:500', 'a:2:500']);
  });

  it('lets control overtake data', () => {
    const { send, socket, queue } = setUp();
    send('a:1:100');
    send('a:2:10');
    queue.control('cancel');
    expect(socket.written).toEqual(['a:1:100', 'cancel']);
  });

  it('lets no data of another stream overtake what is queued', () => {
    const { send, socket, drain } = setUp();
    send('a:1:90');
    send('a:2:20');
    send('b:1:1');
    expect(socket.written).toEqual(['a:1:90']);
    drain();
    expect(socket.written).toEqual(['a:1:90', 'a:2:20', 'b:1:1']);
  });

  it('gives the streams turns', () => {
    const { send, socket, drain } = setUp(100, 1_000);
    send('x:0:100');
    for (const message of ['a:1:10', 'a:2:10', 'a:3:10', 'b:1:10', 'c:1:10', 'b:2:10']) {
      send(message);
    }
    drain();
    expect(socket.written.slice(1)).toEqual([
      'a:1:10',
      'b:1:10',
      'c:1:10',
      'a:2:10',
      'b:2:10',
      'a:3:10',
    ]);
  });

  it('goes on with the next in turn after the socket was full', () => {
    const { send, socket, drain } = setUp(20, 1_000);
    send('x:0:20');
    for (const message of ['a:1:20', 'a:2:20', 'b:1:20', 'b:2:20']) send(message);
    for (let i = 0; i < 4; i += 1) drain();
    expect(socket.written.slice(1)).toEqual(['a:1:20', 'b:1:20', 'a:2:20', 'b:2:20']);
  });

  it('tells a stream to wait, and tells it once when half of its queue is free', () => {
    const { send, rooms, socket, drain } = setUp(100, 50);
    send('a:0:100');
    expect(send('a:1:30')).toBe(true);
    expect(send('a:2:21')).toBe(false);
    expect(send('a:3:1')).toBe(false);
    expect(rooms).toEqual([]);
    drain();
    expect(rooms).toEqual(['a']);
    drain();
    expect(rooms).toEqual(['a']);
    expect(socket.written).toEqual(['a:0:100', 'a:1:30', 'a:2:21', 'a:3:1']);
  });

  it('tells a stream as soon as less than half is queued, while frames still wait', () => {
    const { send, rooms, drain, queue } = setUp(20, 50);
    send('a:0:20');
    expect([send('a:1:20'), send('a:2:10'), send('a:3:10'), send('a:4:14')]).toEqual([
      true,
      true,
      true,
      false,
    ]);
    drain();
    expect([queue.queuedBytes, rooms]).toEqual([34, []]);
    drain();
    expect([queue.queuedBytes, rooms]).toEqual([14, ['a']]);
  });

  it('tells nothing while half is queued', () => {
    const { send, rooms, drain, queue } = setUp(30, 50);
    send('a:0:30');
    send('a:1:30');
    expect(send('a:2:25')).toBe(false);
    drain();
    expect([queue.queuedBytes, rooms]).toEqual([25, []]);
    drain();
    expect(rooms).toEqual(['a']);
  });

  it('tells nothing to a stream that was not told to wait', () => {
    const { send, rooms, drain } = setUp();
    send('a:0:100');
    send('a:1:10');
    drain();
    expect(rooms).toEqual([]);
  });

  it('takes data from inside onRoom, behind what is queued', () => {
    const socket = new FakeSocket();
    const queue: SendQueue<string> = new SendQueue<string>(socket, {
      socketBytes: 100,
      streamBytes: 10,
      onRoom: (id) => {
        if (socket.written.length < 20) queue.data(id, `${id}:${socket.written.length}:40`, 40);
      },
    });
    queue.data('x', 'x:0:100', 100);
    queue.data('a', 'a:1:40', 40);
    queue.data('b', 'b:1:40', 40);
    socket.bufferedBytes = 0;
    queue.drained();
    expect(socket.written).toEqual(['x:0:100', 'a:1:40', 'b:1:40']);
    for (let i = 0; i < 3; i += 1) {
      socket.bufferedBytes = 0;
      queue.drained();
    }
    const streams = socket.written.slice(3).map(streamOf);
    expect(streams).toEqual(['a', 'b', 'a', 'b', 'a', 'b']);
  });

  it('keeps the order where a write leads to another frame of the same stream', () => {
    const { socket, send, drain } = setUp(100, 1_000);
    send('x:0:100');
    send('a:1:10');
    socket.onWrite = (message) => {
      if (message === 'a:1:10') send('a:2:10');
    };
    drain();
    expect(socket.written).toEqual(['x:0:100', 'a:1:10', 'a:2:10']);
  });

  it('does not recurse where a write reports room', () => {
    const { socket, queue, send } = setUp(1, 1_000_000);
    send('x:0:1');
    for (let i = 0; i < 20_000; i += 1) send(`a:${i}:1`);
    socket.onWrite = () => {
      socket.bufferedBytes = 0;
      queue.drained();
    };
    socket.bufferedBytes = 0;
    queue.drained();
    expect(socket.written).toHaveLength(20_001);
  });

  it('forgets a stream: its frames and its onRoom', () => {
    const { socket, rooms, queue, send, drain } = setUp();
    send('a:0:100');
    send('a:1:60');
    send('b:1:5');
    queue.forget('a');
    queue.forget('unknown');
    expect([queue.queuedBytes, queue.queuedStreams]).toEqual([5, 1]);
    drain();
    expect(socket.written).toEqual(['a:0:100', 'b:1:5']);
    expect(rooms).toEqual([]);
  });

  it('forgets a stream from inside the write of its last frame', () => {
    const { socket, rooms, queue, send, drain } = setUp();
    send('a:0:100');
    send('a:1:60');
    socket.onWrite = () => queue.forget('a');
    drain();
    expect(rooms).toEqual([]);
    expect([queue.queuedBytes, queue.queuedStreams]).toEqual([0, 0]);
  });

  it('drops everything when it is closed, and answers that there is no room', () => {
    const { socket, rooms, queue, send, drain } = setUp();
    send('a:0:100');
    send('a:1:60');
    queue.close();
    expect(send('a:2:1')).toBe(false);
    queue.control('bye');
    drain();
    expect(socket.written).toEqual(['a:0:100']);
    expect(rooms).toEqual([]);
    expect([queue.queuedBytes, queue.queuedStreams]).toEqual([0, 0]);
  });

  it('goes on after a write that threw', () => {
    const { socket, send, drain } = setUp();
    send('a:0:100');
    send('a:1:60');
    send('b:1:5');
    socket.onWrite = () => {
      throw new Error('broken pipe');
    };
    expect(drain).toThrow('broken pipe');
    socket.onWrite = undefined;
    drain();
    expect(socket.written).toEqual(['a:0:100', 'a:1:60', 'b:1:5']);
  });

  it('keeps order in each stream, loses nothing, and stays fair, whatever is sent and drained', () => {
    const step = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({ stream: fc.nat(4), bytes: fc.integer({ min: 1, max: 60 }) }),
      },
      { weight: 1, arbitrary: fc.constant('drain' as const) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const { socket, queue, send, drain } = setUp(100, 50);
        const sent: string[] = [];
        for (const each of steps) {
          if (each === 'drain') drain();
          else {
            const message = `${each.stream}:${sent.length}:${each.bytes}`;
            sent.push(message);
            send(message);
          }
          expect(socket.bufferedBytes).toBeLessThanOrEqual(100);
        }
        const queuedFrom = socket.written.length;
        const queued = sent.length - queuedFrom;
        for (let i = 0; i <= queued; i += 1) drain();
        expect(queue.queuedBytes).toBe(0);
        for (const id of ['0', '1', '2', '3', '4']) {
          const only = (list: string[]) => list.filter((message) => streamOf(message) === id);
          expect(only(socket.written)).toEqual(only(sent));
        }
        expectTurns(socket.written.slice(queuedFrom));
      }),
    );
  });
});

/** While several streams wait, none gets a second turn before each of the others had one. */
function expectTurns(messages: string[]): void {
  const left = new Map<string, number>();
  for (const message of messages) {
    left.set(streamOf(message), (left.get(streamOf(message)) ?? 0) + 1);
  }
  const lastTurn = new Map<string, number>();
  messages.forEach((message, at) => {
    const id = streamOf(message);
    const before = lastTurn.get(id);
    if (before !== undefined) {
      const others = [...left].filter(([other, count]) => other !== id && count > 0);
      const served = new Set(messages.slice(before + 1, at).map(streamOf));
      expect(others.filter(([other]) => !served.has(other))).toEqual([]);
    }
    lastTurn.set(id, at);
    left.set(id, (left.get(id) ?? 0) - 1);
  });
}
