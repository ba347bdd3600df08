import { systemClock } from '@pullwire/shared';
import { S3ObjectStore } from '../../object/s3-object-store.ts';
import { readAwsPlace } from '../aws-credentials.ts';
import { readEnvironment } from '../environment.ts';
import { functionLog } from '../function-log.ts';
import { functionRegistry } from '../function-registry.ts';
import { createSweep } from '../sweep.ts';

const { bucket, logLevel, table } = readEnvironment('sweep', process.env);
const { region, credentials, endpoint } = readAwsPlace(process.env);

/** Called by the schedule. */
export const handler = createSweep({
  registry: functionRegistry(table, region),
  store: new S3ObjectStore({
    bucket,
    region,
    endpoint: endpoint('S3'),
    credentials,
    clock: systemClock,
    random: Math.random,
  }),
  clock: systemClock,
  log: functionLog(logLevel),
});
