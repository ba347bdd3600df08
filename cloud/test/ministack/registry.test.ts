import { randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll } from 'vitest';
import { DynamoRegistry } from '../../src/registry/dynamo-registry.ts';
import { registryContract } from '../../src/registry/registry-contract.ts';
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
    // The contract's times are at the beginning of the epoch: a TTL would take its items away, now and then.
    const table = { ...readRelayManifest().table, expiryAttribute: 'unused' };
    const name = await deployTable(ministack, randomUUID(), table);
    const registry = new DynamoRegistry({ client, name, mayCreateTable: false });
    await registry.ensureSchema();
    return registry;
  };
  registryContract("the table of Terraform's manifest", fresh, { fences: 3, orders: 100 });
});
