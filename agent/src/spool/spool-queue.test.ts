import { describe, expect, it } from 'vitest';
import { SpoolQueue } from './spool-queue.ts';
import type { SpoolReading } from './spool-reading.ts';

const mebibyte = 1_048_576;

function reading(at: number, bytes = 1): SpoolReading {
  return {
    entry: { schedule: 'a', at, source: 's', path: '/', ms: 1 },
    body: Buffer.alloc(bytes),
    step: 0,
  };
}

const times = (queue: SpoolQueue): number[] | undefined =>
  queue.take()?.append.map(({ entry }) => entry.at);

describe('what waits for a commit', () => {
  it('goes into the next one all together, and is told when it is written', async () => {
    const queue = new SpoolQueue();
    const first = queue.append(reading(1));
    const removed = queue.remove([7, 8]);
    expect(queue.take()).toMatchObject({ append: [{ entry: { at: 1 } }], remove: [7, 8] });
    const second = queue.append(reading(2));
    queue.written();
    expect(await first).toBe(true);
    await removed;
    expect(times(queue)).toEqual([2]);
    queue.written();
    expect(await second).toBe(true);
    expect([queue.take(), queue.isEmpty]).toEqual([undefined, true]);
  });

  it('goes again where the disk refused it', async () => {
    const queue = new SpoolQueue();
    const taken = queue.append(reading(1));
    queue.take();
    queue.refused();
    void queue.append(reading(2));
    expect(times(queue)).toEqual([1, 2]);
    queue.written();
    expect(await taken).toBe(true);
  });

  it('is cut into commits of bounded size', () => {
    const queue = new SpoolQueue();
    for (let at = 1; at <= 5; at += 1) void queue.append(reading(at, 3 * mebibyte));
    expect(times(queue)).toEqual([1, 2]);
    queue.written();
    expect(times(queue)).toEqual([3, 4]);
  });

  it('is bounded: the oldest are lost, but not those that are being written', async () => {
    const queue = new SpoolQueue();
    const all = [1, 2].map((at) => queue.append(reading(at, 4 * mebibyte)));
    expect(times(queue)).toEqual([1]);
    all.push(...[3, 4, 5].map((at) => queue.append(reading(at, 4 * mebibyte))));
    expect(await Promise.all([all[1], all[2]])).toEqual([false, false]);
    queue.written();
    expect(times(queue)).toEqual([4]);
    expect(queue.lost).toBe(2);
  });

  it('is lost at the end, and said to be', async () => {
    const queue = new SpoolQueue();
    const taken = queue.append(reading(1));
    expect(queue.end()).toBe(1);
    expect([await taken, queue.lost]).toEqual([false, 1]);
  });
});
