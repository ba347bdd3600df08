import { setTimeout as wait } from 'node:timers/promises';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Clock } from '@pullwire/shared';
import type { Logger } from 'pino';
import type { RelayConfig } from '../config/relay-config.ts';
import { DynamoQueueStore } from '../queue/dynamo-queue-store.ts';
import type { QueueStore } from '../queue/queue-store.ts';
import type { DynamoTable } from '../registry/dynamo-call.ts';
import { createDynamoClient, mayCreateTable, shortPatience } from '../registry/dynamo-client.ts';
import { probeDynamo, watchOutage } from '../registry/dynamo-outage.ts';
import { DynamoRegistry } from '../registry/dynamo-registry.ts';
import { itemKeys } from '../registry/dynamo-table.ts';
import type { Registry } from '../registry/registry.ts';
import { RegistryOutage } from '../registry/registry-outage.ts';
import { DataFolderError } from '../server/data-folder.ts';
import type { Engine } from '../server/engine.ts';
import { accessEngine } from '../server/engine-access.ts';
import { embeddedTable } from './open-registry.ts';

/** The registry that a server works with, its schema checked. */
export interface ServeStore {
  readonly registry: Registry;
  /** In the same table. */
  readonly queue: QueueStore;
  /** Where it is. */
  readonly table: DynamoTable;
  /**
   * Calls back at once when an operator's command writes; a table on AWS tells nobody. `devices`: those that are other
   * than they were; undefined: any of them may be.
   */
  onForeignWrite(callback: (devices: readonly string[] | undefined) => void): void;
  /** For people: why it cannot be read or written now; undefined: it can. */
  trouble(): string | undefined;
  close(): Promise<void>;
}

export interface ServeStoreInit {
  readonly config: RelayConfig;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Throws a `DataFolderError` or a `RegistryError`. */
export async function openServeStore(init: ServeStoreInit): Promise<ServeStore> {
  const { table } = init.config;
  if (table === undefined) return openEmbedded(await startOwnEngine(init), init);
  const create = () => createDynamoClient(table, shortPatience);
  const { client, outage, close } = watched(create, init);
  const place = { client, name: table.name };
  const registry = new DynamoRegistry({ ...place, mayCreateTable: mayCreateTable(table) });
  await ensureOrClose(registry, close);
  const trouble = () => outage.error?.message;
  const queue = new DynamoQueueStore(place);
  return { registry, queue, table: place, onForeignWrite: () => undefined, trouble, close };
}

async function openEmbedded(engine: Engine, init: ServeStoreInit): Promise<ServeStore> {
  const { client, outage, close: closeClient } = watched(() => engine.createClient(), init);
  const close = async () => {
    await closeClient();
    await engine.stop();
  };
  const table = { client, name: embeddedTable };
  const registry = new DynamoRegistry({ ...table, mayCreateTable: true });
  await ensureOrClose(registry, close);
  const onForeignWrite: ServeStore['onForeignWrite'] = (callback) =>
    engine.onForeignWrite((partitions) => callback(devicesIn(partitions)));
  const trouble = () => (engine.trouble ?? outage.error)?.message;
  const queue = new DynamoQueueStore(table);
  return { registry, queue, table, onForeignWrite, trouble, close };
}

/** A client that knows when nobody answers, and another that looks whether somebody does again. */
function watched(create: () => DynamoDBClient, { clock, log }: ServeStoreInit) {
  const client = create();
  const prober = create();
  const outage = new RegistryOutage({
    clock,
    probe: () => probeDynamo(prober),
    began: (err) =>
      log.error({ err }, 'the registry does not answer: open links go on, others are told 503'),
    ended: (lastedMs) => log.info({ lastedMs }, 'the registry answers again'),
  });
  watchOutage(client, outage);
  const close = async () => {
    outage.stop();
    client.destroy();
    prober.destroy();
  };
  return { client, outage, close };
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

async function startOwnEngine({ config, clock, signal, log }: ServeStoreInit): Promise<Engine> {
  const { dataFolder, takeOverMs } = config;
  const onTrouble = (err: Error) =>
    log.error({ err, dataFolder }, 'the embedded registry is in trouble');
  const onRecovered = () => log.info('the embedded registry works again');
  const until = clock.monotonic() + takeOverMs;
  for (let looks = 0; ; looks += 1) {
    const init = { dataFolder, owner: 'server', signal, onTrouble, onRecovered } as const;
    const access = await accessEngine(init);
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
