import { randomUUID } from 'node:crypto';
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TemporaryEngine, temporaryEngine } from '../server/temporary-engine.ts';
import { DynamoRegistry } from './dynamo-registry.ts';
import { registryContract } from './registry-contract.ts';
import { link } from './registry-sample.ts';

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

const long = process.env['PULLWIRE_LONG'] === '1';
const orders = long ? { fences: 3, orders: 1_000 } : { fences: 1, orders: 40 };

registryContract('the embedded engine', () => fresh(client), orders);

// The same suite against another DynamoDB, such as ministack: PULLWIRE_TEST_DYNAMODB=http://127.0.0.1:4566
const endpoint = process.env['PULLWIRE_TEST_DYNAMODB'];
if (endpoint !== undefined) {
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const remote = new DynamoDBClient({ endpoint, region: 'us-east-1', credentials });
  registryContract(endpoint, () => fresh(remote), orders);
}

describe('a sweep', () => {
  it('leaves a link that came in the place of an old one while it looked', async () => {
    const name = randomUUID();
    const registry = new DynamoRegistry({ client, name, mayCreateTable: true });
    await registry.ensureSchema();
    await registry.openLink(link({ connectionId: 'old' }));
    await registry.closeLink('plant-7', 'main', 'old', { at: 6_000, why: 'gone' });
    const other = temporary.engine.createClient();
    other.middlewareStack.add(
      (next, context) => async (args) => {
        // It has read the old link, and is about to remove it.
        if (context['commandName'] === 'DeleteItemCommand') {
          await registry.openLink(link({ connectedAt: 7_000, connectionId: 'new' }));
        }
        return next(args);
      },
      { step: 'initialize' },
    );
    const sweeper = new DynamoRegistry({ client: other, name, mayCreateTable: false });
    expect(await sweeper.sweep({ closedBefore: 100_000, limit: 10 })).toBe(0);
    expect((await registry.link('plant-7', 'main'))?.connectionId).toBe('new');
    other.destroy();
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
