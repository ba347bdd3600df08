import type { ReadingBodies } from './reading-bodies.ts';
import type { ReadingTable } from './reading-table.ts';

/** Where readings are kept: a table, and beside it what is too large for that. */
export interface ReadingPlace {
  readonly readingTable: ReadingTable;
  readonly bodies: ReadingBodies;
}
