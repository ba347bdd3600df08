import type { Held, Reading, Stored } from '@pullwire/shared';
import { ManualClock } from '@pullwire/shared/manual-clock';
import { beforeEach, describe, expect, test } from 'vitest';
import { ReadingDesk } from './reading-desk.ts';

interface Storing {
  readonly device: string;
  readonly batch: number;
  readonly store: (answer?: Stored | Held) => void;
  readonly fail: (error: Error) => void;
}

let storing: Storing[];
let failures: unknown[];
let failedOnce: PromiseWithResolvers<void>;
let clock: ManualClock;
let desk: ReadingDesk;
let began: () => void;

beforeEach(() => {
  // The desk of the test before may still begin with what it took.
  const own: Storing[] = [];
  storing = own;
  failures = [];
  failedOnce = Promise.withResolvers();
  began = () => undefined;
  clock = new ManualClock();
  desk = new ReadingDesk({
    clock,
    receive: (device, { batch }) =>
      new Promise((resolve, fail) => {
        const stored: Stored = { action: 'stored', batch };
        own.push({ device, batch, store: (other = stored) => resolve(other), fail });
        began();
      }),
    failed: (error) => {
      failures.push(error);
      failedOnce.resolve();
    },
  });
});

/** Resolves when so many batches have been handed to the store. */
function begun(count: number): Promise<void> {
  return new Promise((resolve) => {
    began = () => {
      if (storing.length >= count) resolve();
    };
    began();
  });
}

const batchOf = (batch: number, bytes = 1, entries = 1): Reading => ({
  action: 'reading',
  batch,
  readings: Array.from({ length: entries }, (_, at) => ({
    ...{ schedule: 's', at, source: 'm', path: '/', ms: 1, length: at === 0 ? bytes : 0 },
    ...{ status: 200, headers: [] },
  })),
  body: Buffer.alloc(bytes),
});

describe('the desk for readings', () => {
  test('stores two batches at a time, in the order in which they came, and says each', async () => {
    const said: number[] = [];
    const link = desk.link('plant-7', ({ batch }) => said.push(batch));
    for (const batch of [1, 2, 3, 4]) expect(link.take(batchOf(batch))).toBe(true);
    await begun(2);
    expect(storing.map(({ batch }) => batch)).toEqual([1, 2]);
    storing[1]?.store();
    await begun(3);
    storing[0]?.store();
    await begun(4);
    expect([storing.map(({ batch }) => batch), said]).toEqual([
      [1, 2, 3, 4],
      [2, 1],
    ]);
  });

  test('takes four of a link, and the fifth when one of them is stored', async () => {
    const stored = Promise.withResolvers<void>();
    const link = desk.link('plant-7', () => stored.resolve());
    const taken = [1, 2, 3, 4, 5].map((batch) => link.take(batchOf(batch)));
    expect(taken).toEqual([true, true, true, true, false]);
    expect(desk.link('plant-8', () => undefined).take(batchOf(5))).toBe(true);
    await begun(1);
    storing[0]?.store();
    await stored.promise;
    expect(link.take(batchOf(5))).toBe(true);
  });

  test('takes one that is sent again while it waits for the same', () => {
    const link = desk.link('plant-7', () => undefined);
    for (let time = 0; time < 10; time += 1) expect(link.take(batchOf(1))).toBe(true);
    expect(desk.size).toBe(1);
  });

  test('says nothing of one that cannot be stored, and takes it when it comes again', async () => {
    const said: number[] = [];
    const link = desk.link('plant-7', ({ batch }) => said.push(batch));
    link.take(batchOf(1));
    await begun(1);
    const failed = new Error('planted');
    storing[0]?.fail(failed);
    await failedOnce.promise;
    expect([failures, said]).toEqual([[failed], []]);
    link.take(batchOf(1));
    await begun(2);
    storing[1]?.store();
    await desk.stop();
    expect([said, desk.counters]).toEqual([[1], { stored: 1, held: 0, failed: 1, dropped: 0 }]);
  });

  test('gives up what waits of a link that ended, and says nothing to it', async () => {
    const said: number[] = [];
    const link = desk.link('plant-7', ({ batch }) => said.push(batch));
    for (const batch of [1, 2, 3]) link.take(batchOf(batch));
    await begun(2);
    link.close();
    expect(desk.size).toBe(2);
    for (const { store } of storing) store();
    await desk.stop();
    expect([said, storing.length]).toEqual([[], 2]);
  });

  test('holds no more than 64 MiB: what is over is dropped, and comes again', async () => {
    const bytes = 30 * 1_024 * 1_024;
    const [first, second] = [1, 2].map(() => desk.link('plant-7', () => undefined));
    expect(first?.take(batchOf(1, bytes))).toBe(true);
    expect(first?.take(batchOf(2, bytes))).toBe(true);
    expect(second?.take(batchOf(1, bytes))).toBe(true);
    expect([desk.size, desk.counters.dropped]).toEqual([2, 1]);
    await begun(2);
    for (const { store } of storing) store();
    await desk.stop();
    expect(desk.size).toBe(0);
  });

  test.each([
    ['a large batch', 25, 60],
    ['one of five readings', 5, 12],
    ['a very slow one', 25, 500],
  ])('rests after %s, for the pulls', async (name, entries, restMs) => {
    const said: number[] = [];
    const link = desk.link('plant-7', ({ batch }) => said.push(batch));
    const other = desk.link('plant-8', () => undefined);
    other.take(batchOf(9));
    for (const batch of [1, 2]) link.take(batchOf(batch, 1, entries));
    await begun(2);
    clock.advance(name === 'a very slow one' ? 1_000 : 10);
    storing[1]?.store();
    await expect.poll(() => said).toEqual([1]);
    clock.advance(restMs - 0.1);
    expect(storing).toHaveLength(2);
    clock.advance(0.1);
    await begun(3);
    expect(storing[2]?.batch).toBe(2);
  });

  test('that is stopped waits for what is being stored, and takes nothing more', async () => {
    const link = desk.link('plant-7', () => undefined);
    for (const batch of [1, 2, 3]) link.take(batchOf(batch));
    await begun(2);
    let stopped = false;
    const stop = desk.stop().then(() => {
      stopped = true;
    });
    expect(link.take(batchOf(4))).toBe(true);
    expect([desk.size, stopped]).toEqual([2, false]);
    for (const { store } of storing) store();
    await stop;
    expect([desk.size, storing.length]).toEqual([0, 2]);
  });
});
