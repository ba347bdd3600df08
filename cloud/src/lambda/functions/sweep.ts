import { systemClock } from '@pullwire/shared';
import { S3ObjectStore } from '../../object/s3-object-store.ts';
import { readAwsPlace } from '../aws-credentials.ts';
import { composeOnce } from '../compose-once.ts';
import { readEnvironment } from '../environment.ts';
import { functionLog } from '../function-log.ts';
import { createSweep } from '../sweep.ts';

const { bucket, logLevel, table } = readEnvironment('sweep', process.env);
const place = readAwsPlace(process.env);

const composed = composeOnce(async () => {
  const { functionRegistry, functionTable } = await import('../function-registry.ts');
  return createSweep({
    registry: functionRegistry(functionTable(table, place)),
    store: new S3ObjectStore({
      bucket,
      region: place.region,
      endpoint: place.endpoint('S3'),
      credentials: place.credentials,
      clock: systemClock,
      random: Math.random,
    }),
    clock: systemClock,
    log: functionLog(logLevel),
  });
});

/** Called by the schedule. */
export const handler = async () => (await composed())();
