import type { Registry } from '../registry/registry.ts';
import { inTurns } from './in-turns.ts';
import { bodyKey, pieceKey, type ReadingBodies } from './reading-bodies.ts';
import { dayMs } from './reading-limit.ts';
import type { ReadingTable } from './reading-table.ts';
import { sweepOpenReadings } from './sweep-open-readings.ts';

export interface ReadingSweep {
  readonly readingTable: Pick<
    ReadingTable,
    | 'devices'
    | 'oldReadings'
    | 'oldPieces'
    | 'openReadings'
    | 'reading'
    | 'pieces'
    | 'remove'
    | 'removePieces'
    | 'closeReading'
    | 'removeOldLatest'
    | 'forgetQuota'
  >;
  readonly bodies: Pick<ReadingBodies, 'remove'>;
  readonly registry: Pick<Registry, 'deviceRecord' | 'deviceRecords'>;
  /** Undefined: table and storage remove by themselves what is over. */
  readonly retentionDays: number | undefined;
  /** Epoch milliseconds. */
  readonly now: number;
  /** Readings and pieces that are removed at most; the next sweep goes on. */
  readonly limit: number;
}

/** Readings and pieces of one device that are removed at a time; the others come in between. */
const atOnce = 100;
const objectsAtOnce = 4;
/** Later than any reading. */
const endOfTime = Number.MAX_SAFE_INTEGER;

/**
 * Removes readings whose retention is over, with their bodies; pieces whose last one did not come in a day; and all of
 * devices that were removed. Resolves with how many. Rejects with `RegistryError` or `ObjectStoreError`.
 */
export async function sweepReadings(sweep: ReadingSweep): Promise<number> {
  const { readingTable, registry, limit } = sweep;
  let removed = 0;
  let previous: string | undefined;
  let after: string | undefined;
  do {
    const page = await readingTable.devices(after);
    const known = new Set((await registry.deviceRecords(page.items)).map(({ device }) => device));
    for (const device of page.items) {
      if (device !== previous) {
        removed += await sweepDevice(sweep, device, known.has(device), limit - removed);
      }
      previous = device;
    }
    after = page.next;
  } while (after !== undefined && removed < limit);
  return removed;
}

async function sweepDevice(
  sweep: ReadingSweep,
  device: string,
  isKnown: boolean,
  most: number,
): Promise<number> {
  if (!isKnown) return removeAll(sweep, device, most);
  const removed = await sweepOpenReadings(sweep, device, sweep.now, most);
  if (sweep.retentionDays === undefined) return removed;
  const before = sweep.now - sweep.retentionDays * dayMs;
  return removed + (await removeBefore(sweep, device, before, most - removed));
}

/** A device of this name may be added again meanwhile: what it brings stays. */
async function removeAll(sweep: ReadingSweep, device: string, most: number): Promise<number> {
  const { readingTable, registry } = sweep;
  const isGone = async () => (await registry.deviceRecord(device)) === undefined;
  const removed = await removeBefore(sweep, device, endOfTime, most, isGone);
  if (removed >= most || !(await isGone())) return removed;
  await readingTable.forgetQuota(device);
  return removed + (await sweepOpenReadings(sweep, device, endOfTime, most - removed));
}

async function removeBefore(
  sweep: ReadingSweep,
  device: string,
  before: number,
  most: number,
  goesOn = async () => true,
): Promise<number> {
  let removed = 0;
  for (const some of [removeReadings, removePieces]) {
    for (let last = atOnce; last === atOnce && removed < most; removed += last) {
      if (!(await goesOn())) return removed;
      last = await some(sweep, device, before);
    }
  }
  if (removed < most && (await goesOn())) {
    await sweep.readingTable.removeOldLatest(device, before);
  }
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
