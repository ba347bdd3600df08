import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '@pullwire/shared';
import type { Logger } from 'pino';
import type { RelayConfig } from '../config/relay-config.ts';
import { createDynamoClient, mayCreateTable } from '../registry/dynamo-client.ts';
import { DynamoRegistry } from '../registry/dynamo-registry.ts';
import { itemKeys } from '../registry/dynamo-table.ts';
import type { Registry } from '../registry/registry.ts';
import { DataFolderError } from '../server/data-folder.ts';
import type { Engine } from '../server/engine.ts';
import { accessEngine } from '../server/engine-access.ts';
import { embeddedTable } from './open-registry.ts';

/** The registry that a server works with, its schema checked. */
export interface ServeStore {
  readonly registry: Registry;
  /**
   * Calls back at once when an operator's command writes; a table on AWS tells nobody. `devices`: those that are other
   * than they were; undefined: any of them may be.
   */
  onForeignWrite(callback: (devices: readonly string[] | undefined) => void): void;
  close(): Promise<void>;
}

export interface ServeStoreContext {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/** Throws a `DataFolderError` or a `RegistryError`. */
export async function openServeStore(
  config: RelayConfig,
  context: ServeStoreContext,
): Promise<ServeStore> {
  const { table } = config;
  if (table === undefined) return openEmbedded(await startOwnEngine(config, context));
  const client = createDynamoClient(table);
  const { name } = table;
  const close = async () => client.destroy();
  const registry = new DynamoRegistry({ client, name, mayCreateTable: mayCreateTable(table) });
  await ensureOrClose(registry, close);
  return { registry, onForeignWrite: () => undefined, close };
}

async function openEmbedded(engine: Engine): Promise<ServeStore> {
  const client = engine.createClient();
  const close = async () => {
    client.destroy();
    await engine.stop();
  };
  const registry = new DynamoRegistry({ client, name: embeddedTable, mayCreateTable: true });
  await ensureOrClose(registry, close);
  const onForeignWrite: ServeStore['onForeignWrite'] = (callback) =>
    engine.onForeignWrite((partitions) => callback(devicesIn(partitions)));
  return { registry, onForeignWrite, close };
}

const devicePrefix = itemKeys.device('').pk.S;

function devicesIn(partitions: readonly string[] | undefined): readonly string[] | undefined {
  return partitions
    ?.filter((partition) => partition.startsWith(devicePrefix))
    .map((partition) => partition.slice(devicePrefix.length));
}

async function ensureOrClose(registry: Registry, close: () => Promise<void>): Promise<void> {
  try {
    await registry.ensureSchema();
  } catch (error) {
    await close();
    throw error;
  }
}

/** Milliseconds between two looks at a data folder that is to be taken over. */
const lookEveryMs = 50;

async function startOwnEngine(
  { dataFolder, takeOverMs }: RelayConfig,
  { clock, signal, log }: ServeStoreContext,
): Promise<Engine> {
  const onTrouble = (err: Error) =>
    log.error({ err }, 'the embedded engine ended; it is started again');
  const until = clock.monotonic() + takeOverMs;
  for (let looks = 0; ; looks += 1) {
    const access = await accessEngine({ dataFolder, owner: 'server', signal, onTrouble });
    if (access.kind === 'started') return access.engine;
    if (clock.monotonic() >= until) throw inUse(dataFolder);
    if (looks === 0) log.info({ dataFolder, takeOverMs }, 'waiting for the relay that runs here');
    await wait(lookEveryMs, undefined, { signal });
  }
}

function inUse(dataFolder: string): DataFolderError {
  const message = `a relay is running already in the data folder ${dataFolder}`;
  return new DataFolderError('in-use', message);
}
