import type { Clock } from '@pullwire/shared';
import { DynamoReadingTable } from '../reading/dynamo-reading-table.ts';
import type { ReadingBodies } from '../reading/reading-bodies.ts';
import { ReadingWriter } from '../reading/reading-writer.ts';
import { ReceiveReadings } from '../reading/receive-readings.ts';
import type { DynamoTable } from '../registry/dynamo-call.ts';

export interface FunctionReceiverInit {
  readonly table: DynamoTable;
  readonly bodies: Pick<ReadingBodies, 'put' | 'remove'>;
  readonly retentionDays: number;
  readonly clock: Clock;
}

/** What the message function stores readings with. */
export function functionReceiver(init: FunctionReceiverInit): ReceiveReadings {
  const { table, bodies, retentionDays, clock } = init;
  const wall = () => clock.wall();
  const readingTable = new DynamoReadingTable(table);
  const writer = new ReadingWriter({ readingTable, bodies, retentionDays, wall });
  return new ReceiveReadings({ writer, wall });
}
