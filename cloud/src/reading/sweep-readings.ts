import type { ReadingStore } from './reading-store.ts';
import type { ReadingTable } from './reading-table.ts';

/** Readings and pieces of one device that are removed at a time; the others come in between. */
const atOnce = 100;
/** In one sweep at most; the next one goes on. */
const sweepLimit = 200_000;

/**
 * Removes readings whose retention is over, with their bodies, and pieces whose last one never came; resolves with how
 * many. Rejects with `RegistryError` or `ObjectStoreError`.
 */
export async function sweepReadings(
  table: Pick<ReadingTable, 'devices'>,
  store: Pick<ReadingStore, 'sweepDevice'>,
): Promise<number> {
  let removed = 0;
  let previous: string | undefined;
  let after: string | undefined;
  do {
    const page = await table.devices(after);
    for (const device of page.items) {
      if (device !== previous) removed += await sweepDevice(store, device, sweepLimit - removed);
      previous = device;
    }
    after = page.next;
  } while (after !== undefined && removed < sweepLimit);
  return removed;
}

async function sweepDevice(
  store: Pick<ReadingStore, 'sweepDevice'>,
  device: string,
  most: number,
): Promise<number> {
  let removed = 0;
  for (let last = atOnce; last >= atOnce && removed < most; removed += last) {
    last = await store.sweepDevice(device, atOnce);
  }
  return removed;
}
