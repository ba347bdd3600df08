import { systemClock } from '@pullwire/shared';
import { DynamoReadingTable } from '../../reading/dynamo-reading-table.ts';
import { readAwsPlace } from '../aws-credentials.ts';
import { composeOnce } from '../compose-once.ts';
import { readEnvironment } from '../environment.ts';
import { functionLog } from '../function-log.ts';
import { functionObjects } from '../function-objects.ts';
import { createSweep } from '../sweep.ts';

const { bucket, logLevel, table } = readEnvironment('sweep', process.env);
const place = readAwsPlace(process.env);

const composed = composeOnce(async () => {
  const { functionRegistry, functionQueueStore, functionTable } = await import(
    '../function-registry.ts'
  );
  const at = functionTable(table, place);
  const store = functionObjects(bucket, place);
  return createSweep({
    registry: functionRegistry(at),
    queueStore: functionQueueStore(at),
    store,
    readings: { readingTable: new DynamoReadingTable(at), bodies: store },
    clock: systemClock,
    log: functionLog(logLevel),
  });
});

/** Called by the schedule. */
export const handler = async () => (await composed())();
