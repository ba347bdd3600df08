import { inTurns } from './in-turns.ts';
import { bodyKey, pieceKey, type ReadingBodies } from './reading-bodies.ts';
import { dayMs } from './reading-limit.ts';
import type { ReadingTable } from './reading-table.ts';

export interface ReadingSweep {
  readonly readingTable: Pick<
    ReadingTable,
    'devices' | 'oldReadings' | 'oldPieces' | 'remove' | 'removePieces' | 'removeOldLatest'
  >;
  readonly bodies: Pick<ReadingBodies, 'remove'>;
  readonly retentionDays: number;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** Readings and pieces of one device that are removed at a time; the others come in between. */
const atOnce = 100;
const objectsAtOnce = 4;
/** In one sweep at most; the next one goes on. */
const sweepLimit = 200_000;

/**
 * Removes readings whose retention is over, with their bodies, and pieces whose last one never came; resolves with how
 * many. Rejects with `RegistryError` or `ObjectStoreError`.
 */
export async function sweepReadings(sweep: ReadingSweep): Promise<number> {
  let removed = 0;
  let previous: string | undefined;
  let after: string | undefined;
  do {
    const page = await sweep.readingTable.devices(after);
    for (const device of page.items) {
      if (device !== previous) removed += await sweepDevice(sweep, device, sweepLimit - removed);
      previous = device;
    }
    after = page.next;
  } while (after !== undefined && removed < sweepLimit);
  return removed;
}

async function sweepDevice(sweep: ReadingSweep, device: string, most: number): Promise<number> {
  const before = sweep.now - sweep.retentionDays * dayMs;
  let removed = 0;
  for (const some of [removeReadings, removePieces]) {
    for (let last = atOnce; last === atOnce && removed < most; removed += last) {
      last = await some(sweep, device, before);
    }
  }
  if (removed < most) await sweep.readingTable.removeOldLatest(device, before);
  return removed;
}

async function removeReadings(
  { readingTable, bodies }: ReadingSweep,
  device: string,
  before: number,
): Promise<number> {
  const readings = await readingTable.oldReadings(device, before, atOnce);
  // Bodies that came in pieces go with those.
  const whole = readings.filter(({ objects }) => objects === 1);
  await inTurns(whole, objectsAtOnce, (reading) => bodies.remove(bodyKey(device, reading)));
  await readingTable.remove(readings);
  return readings.length;
}

async function removePieces(
  { readingTable, bodies }: ReadingSweep,
  device: string,
  before: number,
): Promise<number> {
  const pieces = await readingTable.oldPieces(device, before, atOnce);
  await inTurns(pieces, objectsAtOnce, (piece) => bodies.remove(pieceKey(device, piece)));
  await readingTable.removePieces(pieces);
  return pieces.length;
}
