import type { Clock } from '@pullwire/shared';
import type { Logger } from 'pino';
import { DynamoReadingTable } from '../reading/dynamo-reading-table.ts';
import { quotaLog } from '../reading/quota-log.ts';
import type { ReadingBodies } from '../reading/reading-bodies.ts';
import { ReadingQuota } from '../reading/reading-quota.ts';
import { ReadingWriter } from '../reading/reading-writer.ts';
import { ReceiveReadings } from '../reading/receive-readings.ts';
import type { DynamoTable } from '../registry/dynamo-call.ts';

export interface FunctionReceiverInit {
  readonly table: DynamoTable;
  readonly bodies: Pick<ReadingBodies, 'put' | 'remove'>;
  readonly retentionDays: number;
  /** That one device may have stored. */
  readonly bytesPerDay: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What the message function stores readings with. */
export function functionReceiver(init: FunctionReceiverInit): ReceiveReadings {
  const { table, bodies, retentionDays, bytesPerDay, clock, log } = init;
  const wall = () => clock.wall();
  const readingTable = new DynamoReadingTable(table);
  const writer = new ReadingWriter({ readingTable, bodies, retentionDays, wall });
  const quota = new ReadingQuota({ readingTable, bytesPerDay, wall, full: quotaLog(log) });
  return new ReceiveReadings({ writer, quota, wall });
}
