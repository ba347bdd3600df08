import { randomUUID } from 'node:crypto';
import {
  CreateTableCommand,
  type DynamoDBClient,
  DynamoDBServiceException,
  GetItemCommand,
  PutItemCommand,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TemporaryEngine, temporaryEngine } from '../server/temporary-engine.ts';
import { DynamoRegistry } from './dynamo-registry.ts';
import { createTableInput, itemKeys, schemaVersion } from './dynamo-table.ts';
import { profile } from './registry-sample.ts';

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

async function writeVersion(TableName: string, version: number): Promise<void> {
  const Item = { ...itemKeys.schema(), version: { N: String(version) } };
  await client.send(new PutItemCommand({ TableName, Item }));
}

async function versionOf(TableName: string): Promise<number> {
  const answer = await client.send(new GetItemCommand({ TableName, Key: itemKeys.schema() }));
  return Number(answer.Item?.['version']?.N);
}

/** A client of the engine with which this happens before each command of this name is sent. */
function clientWith(command: string, happens: () => Promise<void> | never): DynamoDBClient {
  const wrapped = temporary.engine.createClient();
  wrapped.middlewareStack.add(
    (next, context) => async (args) => {
      if (context['commandName'] === command) await happens();
      return next(args);
    },
    { step: 'initialize' },
  );
  return wrapped;
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
    await writeVersion(name, schemaVersion + 1);
    await expect(registryOf(name).ensureSchema()).rejects.toMatchObject({ code: 'newer-schema' });
    expect(await versionOf(name)).toBe(schemaVersion + 1);
  });

  it('of an older pullwire is raised to ours, and its items are kept', async () => {
    const name = randomUUID();
    await registryOf(name, true).ensureSchema();
    await registryOf(name).addDevice(profile);
    await writeVersion(name, 1);
    await registryOf(name).ensureSchema();
    expect(await versionOf(name)).toBe(schemaVersion);
    expect(await registryOf(name).deviceRecord(profile.device)).toEqual(profile);
  });

  it('of an older pullwire may be raised by several processes at the same time', async () => {
    const name = randomUUID();
    await registryOf(name, true).ensureSchema();
    await writeVersion(name, 1);
    await Promise.all([1, 2, 3].map(() => registryOf(name).ensureSchema()));
    expect(await versionOf(name)).toBe(schemaVersion);
  });

  it('is not lowered where a newer pullwire raised it between the look and the write', async () => {
    const name = randomUUID();
    await registryOf(name, true).ensureSchema();
    await writeVersion(name, 1);
    const late = clientWith('UpdateItemCommand', () => writeVersion(name, schemaVersion + 1));
    const registry = new DynamoRegistry({ client: late, name, mayCreateTable: false });
    await expect(registry.ensureSchema()).rejects.toMatchObject({ code: 'newer-schema' });
    expect(await versionOf(name)).toBe(schemaVersion + 1);
  });

  it('that may not be raised with these credentials is refused, and the error says what to do', async () => {
    const name = randomUUID();
    await registryOf(name, true).ensureSchema();
    await writeVersion(name, 1);
    const reader = clientWith('UpdateItemCommand', () => {
      throw new DynamoDBServiceException({
        name: 'AccessDeniedException',
        $fault: 'client',
        $metadata: {},
      });
    });
    const registry = new DynamoRegistry({ client: reader, name, mayCreateTable: false });
    await expect(registry.ensureSchema()).rejects.toMatchObject({
      code: 'denied',
      message: expect.stringMatching(/has schema 1 .*credentials that may write/),
    });
    expect(await versionOf(name)).toBe(1);
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
