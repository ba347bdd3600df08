import type { Clock } from '@pullwire/shared';
import { DynamoReadingTable } from '../reading/dynamo-reading-table.ts';
import type { ReadingBodies } from '../reading/reading-bodies.ts';
import { ReadingReader } from '../reading/reading-reader.ts';
import type { DynamoTable } from '../registry/dynamo-call.ts';

/** What the http function reads readings with. */
export function functionReader(
  table: DynamoTable,
  bodies: Pick<ReadingBodies, 'open'>,
  clock: Clock,
): ReadingReader {
  return new ReadingReader({
    readingTable: new DynamoReadingTable(table),
    bodies,
    wall: () => clock.wall(),
  });
}
