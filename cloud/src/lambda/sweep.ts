import type { Clock } from '@pullwire/shared';
import type { Logger } from 'pino';
import type { ObjectStore } from '../object/object-store.ts';
import { sweepObjects } from '../object/sweep-objects.ts';
import type { QueueStore } from '../queue/queue-store.ts';
import { sweepQueueBodies } from '../queue/sweep-queue-bodies.ts';
import type { Registry } from '../registry/registry.ts';
import { sweepRegistry } from '../registry/sweep-registry.ts';

export interface SweepParts {
  readonly registry: Pick<Registry, 'sweep'>;
  readonly queueStore: Pick<QueueStore, 'sweepBodies'>;
  readonly store: Pick<ObjectStore, 'olderThan' | 'unfinishedBefore' | 'remove' | 'abortMultipart'>;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface Swept {
  readonly items: number;
  readonly objects: number;
}

/** The scheduled sweep: all parts are tried, and what goes wrong fails the invocation, so that its alarm tells. */
export function createSweep({ registry, queueStore, store, clock, log }: SweepParts) {
  return async (): Promise<Swept> => {
    const now = clock.wall();
    const [items, bodies, objects] = await Promise.allSettled([
      sweepRegistry(registry, now),
      sweepQueueBodies({ store: queueStore, bodyStore: store }, now),
      sweepObjects(store, now),
    ]);
    if (items.status === 'rejected') throw items.reason;
    if (bodies.status === 'rejected') throw bodies.reason;
    if (objects.status === 'rejected') throw objects.reason;
    const swept = { items: items.value, objects: bodies.value + objects.value };
    log.info(swept, 'swept');
    return swept;
  };
}
