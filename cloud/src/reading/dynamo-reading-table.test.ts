import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { systemClock } from '@pullwire/shared';
import { afterAll, beforeAll } from 'vitest';
import { FolderBodies } from '../object/folder-bodies.ts';
import { DynamoRegistry } from '../registry/dynamo-registry.ts';
import { type TemporaryEngine, temporaryEngine } from '../server/temporary-engine.ts';
import { DynamoReadingTable } from './dynamo-reading-table.ts';
import { readingStoreContract } from './reading-store-contract.ts';

let temporary: TemporaryEngine;
let client: DynamoDBClient;
let folder: string;

beforeAll(async () => {
  temporary = await temporaryEngine();
  client = temporary.engine.createClient();
  folder = await mkdtemp(join(tmpdir(), 'pw-readings-'));
});

afterAll(async () => {
  client.destroy();
  await temporary.remove();
  await rm(folder, { recursive: true });
});

readingStoreContract('the embedded engine with a folder', async () => {
  const name = randomUUID();
  await new DynamoRegistry({ client, name, mayCreateTable: true }).ensureSchema();
  const bodies = new FolderBodies({
    folder: join(folder, name),
    clock: systemClock,
    newId: () => randomBytes(16).toString('base64url'),
  });
  await bodies.start();
  return { readingTable: new DynamoReadingTable({ client, name }), bodies };
});
