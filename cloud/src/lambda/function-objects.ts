import { systemClock } from '@pullwire/shared';
import { S3ObjectStore } from '../object/s3-object-store.ts';
import type { AwsPlace } from './aws-credentials.ts';

/** The bucket of bodies, as every function uses it. */
export function functionObjects(bucket: string, place: AwsPlace): S3ObjectStore {
  return new S3ObjectStore({
    bucket,
    region: place.region,
    endpoint: place.endpoint('S3'),
    credentials: place.credentials,
    clock: systemClock,
    random: Math.random,
  });
}
