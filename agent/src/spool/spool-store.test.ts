import {
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SpoolReading } from './spool-reading.ts';
import { SpoolError, SpoolStore } from './spool-store.ts';

let folder: string;
let path: string;
let stores: SpoolStore[];
let damages: string[];

const hour = 3_600_000;
const bounds = { maxBytes: 1_048_576, maxAgeMs: hour };
const all = { bytes: 1e9, rows: 1e6 };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pullwire-spool-'));
  path = join(folder, 'spool.db');
  stores = [];
  damages = [];
});

afterEach(() => {
  for (const store of stores) store.close();
  rmSync(folder, { recursive: true });
});

function open(over: Partial<typeof bounds> = {}): SpoolStore {
  const damaged = (_trouble: unknown, movedTo: string): void => void damages.push(movedTo);
  const store = new SpoolStore({ path, bounds: { ...bounds, ...over }, damaged });
  stores.push(store);
  store.open(0);
  return store;
}

function reading(at: number, bytes = 10, schedule = 'a'): SpoolReading {
  const entry = { schedule, at, source: 's', path: '/', ms: 1, status: 200, headers: ['a', 'é'] };
  return { entry, body: Buffer.alloc(bytes, at), step: 3 };
}

const times = (store: SpoolStore): number[] => store.read(0, all, 0).map(({ entry }) => entry.at);
const put = (store: SpoolStore, append: SpoolReading[], now = 0) =>
  store.commit({ append, remove: [], now });

/** What the store said that it cannot do. */
function trouble(work: () => unknown): SpoolError['trouble'] {
  try {
    work();
  } catch (error) {
    if (error instanceof SpoolError) return error.trouble;
    throw error;
  }
  throw new Error('nothing was wrong');
}

describe('the spool on the disk', () => {
  it('gives back what was put in, in order, also after it was closed', () => {
    const store = open();
    expect(put(store, [reading(5), reading(3, 0)])).toMatchObject({
      depth: 2,
      added: 2,
      oldestAt: 5,
    });
    store.close();
    const [first, second] = open().read(0, all, 0);
    expect(first).toMatchObject({ entry: reading(5).entry, body: new Uint8Array(10).fill(5) });
    expect(second).toMatchObject({ entry: reading(3).entry, body: new Uint8Array() });
  });

  it('knows the last reading of each schedule, also when it is gone', () => {
    const store = open();
    put(store, [reading(5), reading(7), reading(6, 1, 'b')]);
    store.commit({ append: [], remove: [1, 2, 3], now: 0 });
    store.close();
    expect(open().state(0)).toMatchObject({
      depth: 0,
      bytes: 0,
      oldestAt: undefined,
      marks: [
        { schedule: 'a', at: 7, step: 3 },
        { schedule: 'b', at: 6, step: 3 },
      ],
    });
  });

  it('keeps a time of a schedule once', () => {
    const store = open();
    put(store, [reading(5)]);
    expect(put(store, [reading(5), reading(5, 1, 'b')])).toMatchObject({ added: 1, depth: 2 });
  });

  it('gives no number twice, also after the last one was removed', () => {
    const store = open();
    put(store, [reading(1), reading(2)]);
    store.commit({ append: [], remove: [2], now: 0 });
    store.close();
    const again = open();
    put(again, [reading(3)]);
    expect(again.read(0, all, 0).map(({ id }) => id)).toEqual([1, 3]);
  });

  it('reads from an id on, up to a number of bytes or rows', () => {
    const store = open();
    put(
      store,
      [1, 2, 3, 4, 5].map((at) => reading(at, 1_000)),
    );
    const ids = (after: number, limit: typeof all) =>
      store.read(after, limit, 0).map(({ id }) => id);
    expect(ids(1, { bytes: 1e9, rows: 2 })).toEqual([2, 3]);
    expect(ids(0, { bytes: 1_500, rows: 9 })).toEqual([1, 2]);
    expect(ids(0, { bytes: 1, rows: 9 })).toEqual([1]);
  });

  it('drops the oldest over maxBytes, and counts them', () => {
    const store = open();
    put(
      store,
      Array.from({ length: 300 }, (_, at) => reading(at, 10_000)),
    );
    const { depth, bytes } = store.state(0);
    expect(bytes).toBeLessThanOrEqual(bounds.maxBytes);
    expect(bytes).toBeGreaterThan(bounds.maxBytes - 11_000);
    expect(times(store)).toEqual(Array.from({ length: depth }, (_, i) => 300 - depth + i));
    expect(put(store, [reading(900, 50_000)])).toMatchObject({ dropped: { full: 5, age: 0 } });
  });

  it('drops what has waited longer than maxAgeMs, and counts it', () => {
    const store = open();
    put(store, [reading(1), reading(2)], 0);
    put(store, [reading(3)], hour / 2);
    const done = put(store, [reading(4)], hour + 1);
    expect(done).toMatchObject({ dropped: { full: 0, age: 2 }, depth: 2, oldestAt: 3 });
    expect(times(store)).toEqual([3, 4]);
  });

  it('grows no further on the disk than its bounds and a few MiB, whatever goes through it', () => {
    const store = open();
    for (let at = 0; at < 2_000; at += 1) put(store, [reading(at, 10_000)], 0);
    const size = readdirSync(folder).reduce(
      (sum, file) => sum + statSync(join(folder, file)).size,
      0,
    );
    expect(size).toBeLessThan(bounds.maxBytes + 8 * 1_048_576);
  });

  it('refuses the file of a newer agent, and leaves it as it is', () => {
    open().close();
    const db = new DatabaseSync(path);
    db.exec('PRAGMA user_version = 2');
    db.close();
    expect(trouble(() => open())).toMatchObject({
      kind: 'unusable',
      text: expect.stringContaining('written by a newer agent'),
    });
    expect(damages).toEqual([]);
  });

  it('refuses a file that another agent uses, and a folder that is not there', () => {
    put(open(), [reading(1)]);
    expect(trouble(() => open())).toMatchObject({
      kind: 'unusable',
      text: expect.stringContaining('another agent uses this file'),
    });
    path = join(folder, 'none', 'spool.db');
    expect(trouble(() => open())).toMatchObject({
      kind: 'unusable',
      text: expect.stringContaining('the folder must be there'),
    });
  });

  it('moves a file aside that is none of its own, and begins a new one', () => {
    writeFileSync(path, 'not a database, and long enough to be looked at as one. '.repeat(100));
    const store = open();
    expect(put(store, [reading(1)])).toMatchObject({ depth: 1 });
    expect(damages).toEqual([`${path}.damaged-1970-01-01T00-00-00.000Z`]);
    expect(readdirSync(folder)).toContain('spool.db.damaged-1970-01-01T00-00-00.000Z');
  });

  it('moves a file aside whose pages are damaged, at the start and at work', () => {
    const store = open();
    for (let at = 0; at < 50; at += 1) put(store, [reading(at, 9_000)]);
    store.close();
    scribble(8_192, 200_000);
    const begun = open();
    expect(damages).toHaveLength(1);
    expect(begun.state(1)).toMatchObject({ depth: 0 });
    for (let at = 0; at < 300; at += 1) put(begun, [reading(at, 3_000)]);
    begun.close();
    const third = open();
    // Its pages are read again, since few of them fit into its cache.
    scribble(4_096, 900_000);
    expect(third.read(0, all, 5)).toEqual([]);
    expect(damages).toHaveLength(2);
    expect(put(third, [reading(7)])).toMatchObject({ depth: 1 });
  });

  /** What a bad disk does to a file. */
  function scribble(from: number, length: number): void {
    const file = openSync(path, 'r+');
    writeSync(file, Buffer.alloc(length, 0xa5), 0, length, from);
  }
});

describe('appends, removals and ends of the process, in any order', () => {
  type Step = { append: number } | { remove: number } | 'reopen';
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 4, arbitrary: fc.record({ append: fc.integer({ min: 1, max: 5 }) }) },
    { weight: 3, arbitrary: fc.record({ remove: fc.nat({ max: 6 }) }) },
    { weight: 1, arbitrary: fc.constant<Step>('reopen') },
  );

  it('keep each reading once until it is removed', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        rmSync(path, { force: true });
        let store = open();
        let at = 0;
        const expected: number[] = [];
        for (const one of steps) {
          if (one === 'reopen') {
            store.close();
            store = open();
          } else if ('append' in one) {
            const more = Array.from({ length: one.append }, () => ++at);
            put(
              store,
              more.map((time) => reading(time)),
            );
            expected.push(...more);
          } else {
            const rows = store.read(0, { bytes: 1e9, rows: one.remove || 1 }, 0);
            // Said twice, as after a doubt.
            store.commit({ append: [], remove: rows.flatMap(({ id }) => [id, id]), now: 0 });
            expected.splice(0, rows.length);
          }
          expect(times(store)).toEqual(expected);
          expect(store.state(0).depth).toBe(expected.length);
        }
        store.close();
      }),
      { numRuns: 40 },
    );
  });
});
