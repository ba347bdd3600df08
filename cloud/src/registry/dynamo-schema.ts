import {
  CreateTableCommand,
  ResourceInUseException,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import { numberOf, toItem } from './dynamo-attribute.ts';
import { call, type DynamoTable } from './dynamo-call.ts';
import { absent, schemaIs } from './dynamo-condition.ts';
import { getItem } from './dynamo-get.ts';
import { putItem } from './dynamo-put.ts';
import { setAttributes } from './dynamo-set.ts';
import { createTableInput, itemKeys, schemaVersion } from './dynamo-table.ts';
import { RegistryError } from './registry-error.ts';

/** Seconds. */
const tableWait = { maxWaitTime: 60, minDelay: 0.05, maxDelay: 2 };

/**
 * Makes sure that the table is there and is one of ours. `create`: whether it may be created here; on AWS,
 * Terraform owns it. An older schema is raised to ours. Throws `table-missing`, `wrong-table`, `newer-schema` or
 * `denied`.
 */
export async function ensureSchema(table: DynamoTable, create: boolean): Promise<void> {
  const found = await readVersion(table).catch((error: unknown) => {
    if (error instanceof RegistryError && error.code === 'table-missing') return 'no table';
    throw error;
  });
  if (found === 'no table') {
    if (!create) throw missing(table);
    await createTable(table);
  }
  let version = typeof found === 'number' ? found : await claim(table);
  if (version < schemaVersion) version = await upgrade(table, version);
  if (version > schemaVersion) throw newer(table, version);
}

/** Undefined where the table has no version yet. */
async function readVersion(table: DynamoTable): Promise<number | undefined> {
  const item = await getItem(table, itemKeys.schema()).catch((error: unknown) => {
    throw error instanceof RegistryError && error.code === 'refused'
      ? wrongTable(table, error)
      : error;
  });
  return item && numberOf(item, 'version');
}

/** Another process may create it at the same time: then both wait for the same table. */
async function createTable(table: DynamoTable): Promise<void> {
  await call(table, async () => {
    try {
      await table.client.send(new CreateTableCommand(createTableInput(table.name)));
    } catch (error) {
      if (!(error instanceof ResourceInUseException)) throw error;
    }
    await waitUntilTableExists({ client: table.client, ...tableWait }, { TableName: table.name });
  });
}

/** Writes our version where there is none; returns the one that holds. */
async function claim(table: DynamoTable): Promise<number> {
  const item = { ...itemKeys.schema(), ...toItem({ version: schemaVersion }) };
  const claimed = await putItem(table, item, absent);
  return claimed ? schemaVersion : ((await readVersion(table)) ?? schemaVersion);
}

/**
 * Raises the version of an older table, whose items are all valid in this schema; an older pullwire must not come back
 * to it. Returns the version that holds: another process may have raised it first, and further.
 */
async function upgrade(table: DynamoTable, from: number): Promise<number> {
  const values = { version: schemaVersion };
  const upgraded = await setAttributes(table, itemKeys.schema(), values, schemaIs(from)).catch(
    (error: unknown) => {
      throw error instanceof RegistryError && error.code === 'denied'
        ? notUpgraded(table, from, error)
        : error;
    },
  );
  return upgraded ? schemaVersion : ((await readVersion(table)) ?? schemaVersion);
}

const missing = (table: DynamoTable): RegistryError =>
  new RegistryError(
    'table-missing',
    `there is no table "${table.name}" here: create it with terraform/, or name the right table and region`,
  );

const wrongTable = (table: DynamoTable, cause: RegistryError): RegistryError =>
  new RegistryError(
    'wrong-table',
    `the table "${table.name}" is not one of pullwire's: its keys must be pk and sk, both text`,
    cause,
  );

const newer = (table: DynamoTable, version: number): RegistryError =>
  new RegistryError(
    'newer-schema',
    `the table "${table.name}" has schema ${version}, written by a newer pullwire; this one knows ${schemaVersion}:` +
      ' run the newer version',
  );

const notUpgraded = (table: DynamoTable, from: number, cause: RegistryError): RegistryError =>
  new RegistryError(
    'denied',
    `the table "${table.name}" has schema ${from} and must be upgraded to ${schemaVersion}, which these credentials may` +
      ' not do: run one command, such as `device list`, with credentials that may write',
    cause,
  );
