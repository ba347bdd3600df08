import type { Clock } from '@pullwire/shared';
import type { Logger } from 'pino';
import type { ObjectStore } from '../object/object-store.ts';
import { sweepObjects } from '../object/sweep-objects.ts';
import type { QueueStore } from '../queue/queue-store.ts';
import { sweepQueueBodies } from '../queue/sweep-queue-bodies.ts';
import { type ReadingSweep, sweepReadings } from '../reading/sweep-readings.ts';
import type { Registry } from '../registry/registry.ts';
import { sweepRegistry } from '../registry/sweep-registry.ts';

export interface SweepParts {
  readonly registry: Pick<Registry, 'sweep'> & ReadingSweep['registry'];
  readonly queueStore: Pick<QueueStore, 'sweepBodies'>;
  readonly store: Pick<ObjectStore, 'olderThan' | 'unfinishedBefore' | 'remove' | 'abortMultipart'>;
  readonly readings: Pick<ReadingSweep, 'readingTable' | 'bodies'>;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface Swept {
  readonly items: number;
  readonly objects: number;
  /** And pieces of some. */
  readonly readings: number;
}

/** Half an hour of requests to the storage would be too long: a function has some minutes. */
const readingLimit = 20_000;

/** The scheduled sweep: every part is tried, and what goes wrong fails the invocation, so that its alarm tells. */
export function createSweep({ registry, queueStore, store, readings, clock, log }: SweepParts) {
  return async (): Promise<Swept> => {
    const now = clock.wall();
    const [items, bodies, objects, swept] = await Promise.allSettled([
      sweepRegistry(registry, now),
      sweepQueueBodies({ store: queueStore, bodyStore: store }, now),
      sweepObjects(store, now),
      // By time, table and bucket remove readings themselves.
      sweepReadings({
        ...{ ...readings, registry, now },
        ...{ retentionDays: undefined, limit: readingLimit },
      }),
    ]);
    if (items.status === 'rejected') throw items.reason;
    if (bodies.status === 'rejected') throw bodies.reason;
    if (objects.status === 'rejected') throw objects.reason;
    if (swept.status === 'rejected') throw swept.reason;
    const counts = {
      items: items.value,
      objects: bodies.value + objects.value,
      readings: swept.value,
    };
    log.info(counts, 'swept');
    return counts;
  };
}
