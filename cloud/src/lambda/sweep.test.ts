import { ManualClock } from '@pullwire/shared/manual-clock';
import { logTo } from '@pullwire/shared/process-log';
import { describe, expect, it } from 'vitest';
import { ObjectStoreError } from '../object/object-store-error.ts';
import { noReadings } from '../reading/reading-sample.ts';
import { createSweep } from './sweep.ts';

const day = 24 * 3_600_000;

function bench(failing?: 'table' | 'store') {
  const clock = new ManualClock();
  clock.advance(10 * day);
  const done: string[] = [];
  const sweep = createSweep({
    clock,
    log: logTo({ write: (line) => done.push((JSON.parse(line) as { msg: string }).msg) }, 'info'),
    readings: noReadings,
    registry: {
      deviceRecord: async () => undefined,
      deviceRecords: async () => [],
      sweep: async ({ closedBefore }) => {
        done.push(`items before ${closedBefore / day} d`);
        if (failing === 'table') throw new Error('the table is throttled');
        return 3;
      },
    },
    queueStore: {
      sweepBodies: async (keptBefore, _limit, removed) => {
        await removed(`queue/replies/kept-until-${keptBefore / day}-d`);
        return 1;
      },
    },
    store: {
      async *olderThan(prefix, time) {
        if (failing === 'store') throw new ObjectStoreError('unavailable', 'no bucket today');
        done.push(`${prefix} before ${(10 * day - time) / 3_600_000} h ago`);
        yield `${prefix}a`;
      },
      async *unfinishedBefore(prefix) {
        yield { key: `${prefix}b`, uploadId: 'u' };
      },
      remove: async (key) => {
        done.push(`removed ${key}`);
      },
      abortMultipart: async (key, uploadId) => {
        done.push(`aborted ${key} ${uploadId}`);
      },
    },
  });
  return { sweep, done };
}

describe('the scheduled sweep', () => {
  it('removes links long ended, and objects and parts that nobody came for', async () => {
    const { sweep, done } = bench();
    expect(await sweep()).toEqual({ items: 3, objects: 6, readings: 0 });
    expect(done).toEqual([
      'items before 3 d',
      'removed queue/replies/kept-until-10-d',
      'aborted replies/b u',
      'aborted uploads/b u',
      'aborted queue/b u',
      'replies/ before 1 h ago',
      'removed replies/a',
      'uploads/ before 1 h ago',
      'removed uploads/a',
      'swept',
    ]);
  });

  it.each([
    ['table' as const, 'the table is throttled', 'removed uploads/a'],
    ['store' as const, 'no bucket today', 'items before 3 d'],
  ])('fails where the %s does, after the other part is done', async (failing, message, other) => {
    const { sweep, done } = bench(failing);
    await expect(sweep()).rejects.toThrow(message);
    expect(done).toContain(other);
  });
});
