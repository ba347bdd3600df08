import { randomUUID } from 'node:crypto';
import {
  CreateTableCommand,
  DynamoDBClient,
  PutItemCommand,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TemporaryEngine, temporaryEngine } from '../server/temporary-engine.ts';
import { DynamoRegistry } from './dynamo-registry.ts';
import { createTableInput } from './dynamo-table.ts';
import { registryContract } from './registry-contract.ts';

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

async function fresh(of: DynamoDBClient): Promise<DynamoRegistry> {
  const registry = new DynamoRegistry({ client: of, name: randomUUID(), mayCreateTable: true });
  await registry.ensureSchema();
  return registry;
}

registryContract('the embedded engine', () => fresh(client));

// The same suite against another DynamoDB, such as ministack: PULLWIRE_TEST_DYNAMODB=http://127.0.0.1:4566
const endpoint = process.env['PULLWIRE_TEST_DYNAMODB'];
if (endpoint !== undefined) {
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const remote = new DynamoDBClient({ endpoint, region: 'us-east-1', credentials });
  registryContract(endpoint, () => fresh(remote));
}

describe('the schema', () => {
  const registryOf = (name: string, mayCreateTable = false) =>
    new DynamoRegistry({ client, name, mayCreateTable });

  it('is written once and found again', async () => {
    const name = randomUUID();
    await registryOf(name, true).ensureSchema();
    await registryOf(name, true).ensureSchema();
    await registryOf(name).ensureSchema();
  });

  it('may be ensured by two processes at the same time', async () => {
    const name = randomUUID();
    await Promise.all([1, 2, 3].map(() => registryOf(name, true).ensureSchema()));
  });

  it('is not created where that is not allowed, and the error says what to do', async () => {
    await expect(registryOf('no-such-table').ensureSchema()).rejects.toMatchObject({
      code: 'table-missing',
      message: expect.stringContaining('create it with terraform/'),
    });
  });

  it('of a newer pullwire is refused', async () => {
    const name = randomUUID();
    await registryOf(name, true).ensureSchema();
    const Item = { pk: { S: 'schema' }, sk: { S: 'version' }, version: { N: '2' } };
    await client.send(new PutItemCommand({ TableName: name, Item }));
    await expect(registryOf(name).ensureSchema()).rejects.toMatchObject({ code: 'newer-schema' });
  });

  it('of somebody else is refused', async () => {
    const TableName = randomUUID();
    await client.send(
      new CreateTableCommand({
        ...createTableInput(TableName),
        AttributeDefinitions: [{ AttributeName: 'other', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'other', KeyType: 'HASH' }],
        GlobalSecondaryIndexes: undefined,
      }),
    );
    await waitUntilTableExists({ client, maxWaitTime: 10, minDelay: 0.01 }, { TableName });
    await expect(registryOf(TableName).ensureSchema()).rejects.toMatchObject({
      code: 'wrong-table',
    });
  });
});

describe('errors', () => {
  it('of a missing table say so', async () => {
    const registry = new DynamoRegistry({ client, name: 'nowhere', mayCreateTable: false });
    await expect(registry.device('plant-7')).rejects.toMatchObject({ code: 'table-missing' });
  });

  it('of an item that is too large are a refusal', async () => {
    const registry = await fresh(client);
    const labels = { long: 'x'.repeat(500_000) };
    const record = { device: 'plant-7', publicKey: 'k', labels, createdAt: 1 };
    await expect(registry.addDevice(record)).rejects.toMatchObject({ code: 'refused' });
  });

  it('of a foreign item name it', async () => {
    const name = randomUUID();
    const registry = new DynamoRegistry({ client, name, mayCreateTable: true });
    await registry.ensureSchema();
    const Item = { pk: { S: 'device#plant-7' }, sk: { S: 'profile' }, id: { S: 'plant-7' } };
    await client.send(new PutItemCommand({ TableName: name, Item }));
    await expect(registry.device('plant-7')).rejects.toMatchObject({
      code: 'damaged',
      message: expect.stringContaining('device#plant-7 / profile'),
    });
  });

  it('of an endpoint that does not answer are `unavailable`', async () => {
    const dead = new DynamoDBClient({
      endpoint: 'http://127.0.0.1:1',
      region: 'local',
      credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
      maxAttempts: 1,
    });
    const registry = new DynamoRegistry({ client: dead, name: 'table', mayCreateTable: false });
    await expect(registry.keyByHash('h')).rejects.toMatchObject({ code: 'unavailable' });
  });
});
