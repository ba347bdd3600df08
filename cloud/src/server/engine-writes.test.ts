import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { syncWrites } from './engine-writes.ts';

interface Written {
  readonly count: number;
  readonly sync: unknown;
}

// Its types hide the method by which abstract-level hands writes to LevelDB.
const { prototype } = ClassicLevel as unknown as {
  prototype: {
    _batch(operations: readonly unknown[], options: { sync?: unknown }): Promise<void>;
  };
};
const toLevel = prototype._batch;
/** What LevelDB was given, a group each. */
let written: Written[] = [];
/** What the next groups come to, instead of being written. */
const failures: Error[] = [];
prototype._batch = function (operations, options) {
  written.push({ count: operations.length, sync: options.sync });
  const failure = failures.shift();
  return failure === undefined ? toLevel.call(this, operations, options) : Promise.reject(failure);
};
syncWrites();

let folder: string;
let db: ClassicLevel<string, unknown>;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pw-'));
  db = new ClassicLevel(folder, { valueEncoding: 'json' });
  await db.open();
  written = [];
});
afterEach(async () => {
  await db.close();
  await rm(folder, { recursive: true });
});

test('each write is synced, and what comes while one is under way shares the next sync', async () => {
  const keys = Array.from({ length: 100 }, (_, at) => `k${at}`);
  await Promise.all(keys.map((key, at) => db.put(key, { at })));
  expect(written).toEqual([
    { count: 1, sync: true },
    { count: 99, sync: true },
  ]);
  expect(await db.getMany(keys)).toEqual(keys.map((_, at) => ({ at })));
});

test('writes of one key keep their order, whatever group they fall into', async () => {
  await Promise.all([db.put('a', 1), db.put('b', 1), db.del('a'), db.put('b', 2)]);
  await Promise.all([
    db.batch([
      { type: 'put', key: 'a', value: 3 },
      { type: 'del', key: 'b' },
    ]),
    db.put('a', 4),
  ]);
  expect(await db.getMany(['a', 'b'])).toEqual([4, undefined]);
  expect(written.every(({ sync }) => sync === true)).toBe(true);
});

test('a group that cannot be written fails as a whole, and the next one is written', async () => {
  failures.push(new Error('No space left on device'));
  const first = db.put('a', 1);
  const second = db.put('b', 2);
  await expect(first).rejects.toThrow('No space left');
  await second;
  expect(await db.getMany(['a', 'b'])).toEqual([undefined, 2]);
});
