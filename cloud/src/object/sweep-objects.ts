import { objectPrefixes, transitPrefixes } from './object-prefix.ts';
import type { ObjectStore } from './object-store.ts';

/** Such an object is read once, within minutes: after so long nobody comes for it any more. */
const keepMs = 3_600_000;
/** No upload takes longer, also of what is kept for a while when it is whole. */
const uploadPrefixes = [...transitPrefixes, objectPrefixes.queue];
/** Objects of one sweep at most; the next one goes on, and the bucket's own lifecycle is behind it. */
const sweepLimit = 10_000;

/**
 * Removes objects, and uploads of several parts, that nobody came for; resolves with how many. `now`: epoch
 * milliseconds. Rejects with `ObjectStoreError`.
 */
export async function sweepObjects(
  store: Pick<ObjectStore, 'olderThan' | 'unfinishedBefore' | 'remove' | 'abortMultipart'>,
  now: number,
): Promise<number> {
  let removed = 0;
  for (const prefix of uploadPrefixes) {
    for await (const { key, uploadId } of store.unfinishedBefore(prefix, now - keepMs)) {
      await store.abortMultipart(key, uploadId);
      removed += 1;
      if (removed >= sweepLimit) return removed;
    }
  }
  for (const prefix of transitPrefixes) {
    for await (const key of store.olderThan(prefix, now - keepMs)) {
      await store.remove(key);
      removed += 1;
      if (removed >= sweepLimit) return removed;
    }
  }
  return removed;
}
