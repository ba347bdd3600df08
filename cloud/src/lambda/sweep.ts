import type { Clock } from '@pullwire/shared';
import type { Logger } from 'pino';
import type { ObjectStore } from '../object/object-store.ts';
import { sweepObjects } from '../object/sweep-objects.ts';
import type { Registry } from '../registry/registry.ts';
import { sweepRegistry } from '../registry/sweep-registry.ts';

export interface SweepParts {
  readonly registry: Pick<Registry, 'sweep'>;
  readonly store: Pick<ObjectStore, 'olderThan' | 'unfinishedBefore' | 'remove' | 'abortMultipart'>;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface Swept {
  readonly items: number;
  readonly objects: number;
}

/** The scheduled sweep: both parts are tried, and what goes wrong fails the invocation, so that its alarm tells. */
export function createSweep({ registry, store, clock, log }: SweepParts) {
  return async (): Promise<Swept> => {
    const now = clock.wall();
    const [items, objects] = await Promise.allSettled([
      sweepRegistry(registry, now),
      sweepObjects(store, now),
    ]);
    if (items.status === 'rejected') throw items.reason;
    if (objects.status === 'rejected') throw objects.reason;
    const swept = { items: items.value, objects: objects.value };
    log.info(swept, 'swept');
    return swept;
  };
}
