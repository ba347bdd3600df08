import type { QueueBodies } from './kept-body.ts';
import type { QueueStore } from './queue-store.ts';

export interface QueueSweep {
  readonly store: Pick<QueueStore, 'sweepBodies'>;
  readonly bodyStore: Pick<QueueBodies, 'remove'>;
}

/** Bodies of one sweep at most; the next one goes on. */
const sweepLimit = 10_000;

/**
 * Removes bodies of queued pulls that were kept to their end, and those that a crash left, by their notes; resolves with
 * how many. `now`: epoch milliseconds. Rejects with `RegistryError` or `ObjectStoreError`.
 */
export function sweepQueueBodies({ store, bodyStore }: QueueSweep, now: number): Promise<number> {
  return store.sweepBodies(now, sweepLimit, (key) => bodyStore.remove(key));
}
