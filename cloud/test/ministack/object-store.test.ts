import { randomUUID } from 'node:crypto';
import { systemClock } from '@pullwire/shared';
import { afterAll, beforeAll } from 'vitest';
import { objectStoreContract } from '../../src/object/object-store-contract.ts';
import { S3ObjectStore } from '../../src/object/s3-object-store.ts';
import { readRelayManifest } from '../relay-manifest.ts';
import { deployBucket } from './deploy-bucket.ts';
import { describeWithMinistack } from './describe-with-ministack.ts';
import { Ministack } from './ministack.ts';

describeWithMinistack('on ministack', () => {
  const opened: S3ObjectStore[] = [];
  let ministack: Ministack;
  beforeAll(async () => {
    ministack = await Ministack.start();
  });
  afterAll(async () => {
    for (const store of opened) store.stop();
    await ministack?.stop();
  });

  objectStoreContract("the bucket of Terraform's manifest", async () => {
    const bucket = await deployBucket(ministack, randomUUID(), readRelayManifest().bucket);
    const { credentials, ...place } = ministack.client;
    const store = new S3ObjectStore({
      ...place,
      bucket,
      credentials: { ...credentials, sessionToken: undefined },
      clock: systemClock,
      random: Math.random,
    });
    opened.push(store);
    return store;
  });
});
