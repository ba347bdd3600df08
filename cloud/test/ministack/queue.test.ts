import { randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll } from 'vitest';
import { DynamoQueueStore } from '../../src/queue/dynamo-queue-store.ts';
import { queueStoreContract } from '../../src/queue/queue-store-contract.ts';
import { DynamoRegistry } from '../../src/registry/dynamo-registry.ts';
import { readRelayManifest } from '../relay-manifest.ts';
import { deployTable } from './deploy-table.ts';
import { describeWithMinistack } from './describe-with-ministack.ts';
import { Ministack } from './ministack.ts';

describeWithMinistack('on ministack', () => {
  let ministack: Ministack;
  let client: DynamoDBClient;
  beforeAll(async () => {
    ministack = await Ministack.start();
    client = new DynamoDBClient(ministack.client);
  });
  afterAll(async () => {
    client?.destroy();
    await ministack?.stop();
  });

  const fresh = async () => {
    const name = await deployTable(ministack, randomUUID(), readRelayManifest().table);
    const registry = new DynamoRegistry({ client, name, mayCreateTable: false });
    await registry.ensureSchema();
    const sweep = (keptBefore: number) =>
      registry.sweep({ closedBefore: 0, keptBefore, limit: 100 });
    return { store: new DynamoQueueStore({ client, name }), sweep };
  };
  queueStoreContract("the table of Terraform's manifest", fresh);
});
