import type { Registry } from './registry.ts';

/** How long a link's last word, and an expired key or enrolment code, stay readable. */
const keepMs = 7 * 24 * 3_600_000;
/** Items of one sweep at most; the next one goes on. */
const sweepLimit = 10_000;

/**
 * Removes links long ended, keys, enrolment codes and spent tokens long expired, and queued pulls kept to their end;
 * resolves with how many. `now`: epoch milliseconds. Throws `RegistryError`.
 */
export function sweepRegistry(registry: Pick<Registry, 'sweep'>, now: number): Promise<number> {
  return registry.sweep({ closedBefore: now - keepMs, keptBefore: now, limit: sweepLimit });
}
