import { setTimeout as pause } from 'node:timers/promises';

/** Looks so often that nobody notices, and leaves the cores to what is looked at (milliseconds). */
const lookMs = 2;

/** Resolves when `holds`, for what nobody announces; leaves giving up to the test's own limit. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await pause(lookMs);
}
