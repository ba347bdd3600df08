import { inTurns } from './in-turns.ts';
import type { DividedReading } from './reading.ts';
import { pieceKey, type ReadingBodies } from './reading-bodies.ts';
import type { ReadingTable } from './reading-table.ts';

export interface OpenReadingSweep {
  readonly readingTable: Pick<
    ReadingTable,
    'openReadings' | 'reading' | 'pieces' | 'removePieces' | 'closeReading'
  >;
  readonly bodies: Pick<ReadingBodies, 'remove'>;
}

const atOnce = 100;
const objectsAtOnce = 4;

/** Drops the pieces of readings that were to be whole before a time (epoch milliseconds); resolves with how many pieces. */
export async function sweepOpenReadings(
  sweep: OpenReadingSweep,
  device: string,
  before: number,
  most: number,
): Promise<number> {
  let removed = 0;
  for (let last = atOnce; last === atOnce && removed < most; ) {
    const open = await sweep.readingTable.openReadings(device, before, atOnce);
    for (const reading of open) removed += await dropPieces(sweep, device, reading);
    last = open.length;
  }
  return removed;
}

/** A piece that came once more when all were there, or a relay that stopped just then, leaves a reading that is whole. */
async function dropPieces(
  { readingTable, bodies }: OpenReadingSweep,
  device: string,
  open: DividedReading,
): Promise<number> {
  const reading = await readingTable.reading(device, open);
  const isWhole = reading?.objects === open.of;
  const pieces = isWhole ? [] : await readingTable.pieces(device, open);
  await inTurns(pieces, objectsAtOnce, (piece) => bodies.remove(pieceKey(device, piece)));
  await readingTable.removePieces(pieces);
  await readingTable.closeReading(device, open);
  return pieces.length;
}
