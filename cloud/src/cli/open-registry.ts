import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { loadConfig } from '../config/load-config.ts';
import type { RelayConfig } from '../config/relay-config.ts';
import { createDynamoClient, mayCreateTable } from '../registry/dynamo-client.ts';
import { DynamoRegistry } from '../registry/dynamo-registry.ts';
import type { Registry } from '../registry/registry.ts';
import { accessEngine } from '../server/engine-access.ts';
import { createEngineClient } from '../server/engine-client.ts';
import type { CliContext } from './cli-context.ts';
import { flagsOf } from './config-option.ts';

/** The table's name in the embedded engine. */
export const embeddedTable = 'pullwire';

/** Runs one operator's command on the registry that its options name. */
export async function withRegistry(
  options: Readonly<Record<string, unknown>>,
  context: CliContext,
  run: (registry: Registry, config: RelayConfig) => Promise<void>,
): Promise<void> {
  const config = loadConfig({
    file: options['config'] as string | undefined,
    env: context.env,
    flags: flagsOf(options),
    workingFolder: context.workingFolder,
  });
  const { client, name, create, close } = await openTable(config);
  try {
    const registry = new DynamoRegistry({ client, name, mayCreateTable: create });
    await registry.ensureSchema();
    await run(registry, config);
  } finally {
    client.destroy();
    await close();
  }
}

interface OpenTable {
  readonly client: DynamoDBClient;
  readonly name: string;
  readonly create: boolean;
  close(): Promise<void>;
}

/** A table on AWS with the operator's own credentials, a running server's engine, or an engine for this command. */
async function openTable({ table, dataFolder }: RelayConfig): Promise<OpenTable> {
  if (table !== undefined) {
    const create = mayCreateTable(table);
    return { client: createDynamoClient(table), name: table.name, create, close: nothingToClose };
  }
  const access = await accessEngine({
    dataFolder,
    owner: 'command',
    signal: new AbortController().signal,
    onTrouble: () => undefined, // the call that it was for fails, and says so
  });
  const opened = { name: embeddedTable, create: true };
  if (access.kind === 'served') {
    return { ...opened, client: createEngineClient(access.socketPath), close: nothingToClose };
  }
  const { engine } = access;
  return { ...opened, client: engine.createClient(), close: () => engine.stop() };
}

async function nothingToClose(): Promise<void> {}
