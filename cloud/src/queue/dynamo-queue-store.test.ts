import { randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll } from 'vitest';
import { DynamoRegistry } from '../registry/dynamo-registry.ts';
import { type TemporaryEngine, temporaryEngine } from '../server/temporary-engine.ts';
import { DynamoQueueStore } from './dynamo-queue-store.ts';
import { queueStoreContract } from './queue-store-contract.ts';

let temporary: TemporaryEngine;
let client: DynamoDBClient;

beforeAll(async () => {
  temporary = await temporaryEngine();
  client = temporary.engine.createClient();
});

afterAll(async () => {
  client.destroy();
  await temporary.remove();
});

async function fresh(of: DynamoDBClient) {
  const name = randomUUID();
  const registry = new DynamoRegistry({ client: of, name, mayCreateTable: true });
  await registry.ensureSchema();
  const sweep = (keptBefore: number) => registry.sweep({ closedBefore: 0, keptBefore, limit: 100 });
  return { store: new DynamoQueueStore({ client: of, name }), sweep };
}

queueStoreContract('the embedded engine', () => fresh(client));

// The same suite against another DynamoDB, such as ministack: PULLWIRE_TEST_DYNAMODB=http://127.0.0.1:4566
const endpoint = process.env['PULLWIRE_TEST_DYNAMODB'];
if (endpoint !== undefined) {
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const remote = new DynamoDBClient({ endpoint, region: 'us-east-1', credentials });
  queueStoreContract(endpoint, () => fresh(remote));
}
