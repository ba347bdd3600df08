import { beforeEach, describe, expect, it } from 'vitest';
import type { KeptBody } from './kept-body.ts';
import type { QueueStore } from './queue-store.ts';

const body: KeptBody = { owner: 'key-1', key: 'queue/replies/a', bytes: 100, keptUntil: 9_000 };

/** What every store of queued pulls does with what it hears of a reply by object storage. */
export function queueUploadsContract(
  name: string,
  fresh: () => Promise<{ store: QueueStore; sweep(keptBefore: number): Promise<number> }>,
): void {
  describe(`${name} keeps the contract of replies by object storage`, () => {
    const sentAs = 'AAECAwQFBgcICQoLDA0ODw';
    const parts = [1, 2, 11].map((part) => ({ part, length: part, sha256: `${part}`.repeat(64) }));
    const end = { parts: [{ part: 1, etag: '"e"' }], length: 14 };

    it('keeps parts in the order of their numbers, each as it was announced first', async () => {
      const { store } = await fresh();
      expect(await store.keptUpload(sentAs)).toEqual({ parts: [] });
      for (const part of parts.toReversed()) await store.addPart(sentAs, part, 9_000);
      await store.addPart(sentAs, { part: 1, length: 99, sha256: 'f'.repeat(64) }, 9_000);
      expect(await store.keptUpload(sentAs)).toEqual({ parts });
      expect(await store.keptUpload('other')).toEqual({ parts: [] });
    });

    it('keeps one id and one end, the first ones', async () => {
      const { store } = await fresh();
      const ids = await Promise.all(['a', 'b', 'c'].map((id) => store.addUploadId(sentAs, id, 9)));
      expect(new Set(ids).size).toBe(1);
      await store.addUploadEnd(sentAs, end, 9_000);
      await store.addUploadEnd(sentAs, { ...end, length: 1 }, 9_000);
      expect(await store.keptUpload(sentAs)).toEqual({ parts: [], uploadId: ids[0], end });
    });

    it('is swept of all of it', async () => {
      const { store, sweep } = await fresh();
      for (const part of parts) await store.addPart(sentAs, part, 9_000);
      await store.addUploadId(sentAs, 'a', 9_000);
      await store.addUploadEnd(sentAs, end, 9_000);
      expect(await sweep(9_000)).toBe(0);
      expect(await sweep(9_001)).toBe(5);
      expect(await store.keptUpload(sentAs)).toEqual({ parts: [] });
    });
  });
}

/** What every store of queued pulls does with its notes of bodies that lie beside it. */
export function queueBodiesContract(name: string, fresh: () => Promise<QueueStore>): void {
  describe(`${name} keeps the contract of notes of bodies`, () => {
    let store: QueueStore;
    beforeEach(async () => {
      store = await fresh();
    });
    const keys = async (owner: string, now = 0) =>
      (await store.bodiesOf(owner, now)).map(({ key }) => key);

    it('tells of each owner what it has, whatever letters its id has', async () => {
      const others = { ...body, owner: 'issuer|a#~b', key: 'queue/replies/b' };
      await store.noteBody(body);
      await store.noteBody(others);
      expect(await store.bodiesOf('key-1', 0)).toEqual([body]);
      expect(await store.bodiesOf(others.owner, 0)).toEqual([others]);
      expect(await store.bodiesOf('key-2', 0)).toEqual([]);
    });

    it('takes a later note in the place of the one before', async () => {
      await store.noteBody(body);
      await store.noteBody({ ...body, bytes: 7, keptUntil: 20_000 });
      expect(await store.bodiesOf('key-1', 0)).toEqual([{ ...body, bytes: 7, keptUntil: 20_000 }]);
    });

    it('counts nothing any more that was kept long enough', async () => {
      await store.noteBody(body);
      expect(await keys('key-1', 8_999)).toEqual([body.key]);
      expect(await keys('key-1', 9_000)).toEqual([]);
    });

    it('forgets one, and one that is not there', async () => {
      await store.noteBody(body);
      await store.forgetBody('key-1', body.key);
      await store.forgetBody('key-1', body.key);
      expect(await keys('key-1')).toEqual([]);
    });

    it('is swept of what was kept long enough, the body first', async () => {
      const late = { ...body, key: 'queue/replies/late', keptUntil: 9_001 };
      await store.noteBody(body);
      await store.noteBody(late);
      const removed: string[] = [];
      const remove = async (key: string) => {
        removed.push(key);
      };
      expect(await store.sweepBodies(9_000, 10, remove)).toBe(0);
      const fails = store.sweepBodies(9_001, 10, () => Promise.reject(new Error('the disk')));
      await expect(fails).rejects.toThrow('the disk');
      expect(await keys('key-1')).toEqual([body.key, late.key]);
      expect(await store.sweepBodies(9_001, 10, remove)).toBe(1);
      expect(removed).toEqual([body.key]);
      expect(await keys('key-1')).toEqual([late.key]);
    });

    it('is swept of as many as are asked for', async () => {
      for (const at of [1, 2, 3]) await store.noteBody({ ...body, key: `queue/replies/${at}` });
      expect(await store.sweepBodies(10_000, 2, async () => undefined)).toBe(2);
      expect(await keys('key-1')).toHaveLength(1);
    });
  });
}
