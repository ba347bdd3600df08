import { randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { systemClock } from '@pullwire/shared';
import { afterAll, beforeAll } from 'vitest';
import { S3ObjectStore } from '../../src/object/s3-object-store.ts';
import { DynamoReadingTable } from '../../src/reading/dynamo-reading-table.ts';
import { readingStoreContract } from '../../src/reading/reading-store-contract.ts';
import { readRelayManifest } from '../relay-manifest.ts';
import { deployBucket } from './deploy-bucket.ts';
import { deployTable } from './deploy-table.ts';
import { describeWithMinistack } from './describe-with-ministack.ts';
import { Ministack } from './ministack.ts';

describeWithMinistack('on ministack', () => {
  const opened: S3ObjectStore[] = [];
  let ministack: Ministack;
  let client: DynamoDBClient;
  beforeAll(async () => {
    ministack = await Ministack.start();
    client = new DynamoDBClient(ministack.client);
  });
  afterAll(async () => {
    for (const store of opened) store.stop();
    client?.destroy();
    await ministack?.stop();
  });

  readingStoreContract("the table and the bucket of Terraform's manifest", async () => {
    const { table, bucket } = readRelayManifest();
    const name = randomUUID();
    const { credentials, ...place } = ministack.client;
    const bodies = new S3ObjectStore({
      ...place,
      bucket: await deployBucket(ministack, name, bucket),
      credentials: { ...credentials, sessionToken: undefined },
      clock: systemClock,
      random: Math.random,
    });
    opened.push(bodies);
    const readingTable = new DynamoReadingTable({
      client,
      name: await deployTable(ministack, name, table),
    });
    return { readingTable, bodies };
  });
});
