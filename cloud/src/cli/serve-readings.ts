import type { Clock } from '@pullwire/shared';
import type { RelayConfig } from '../config/relay-config.ts';
import { DynamoReadingTable } from '../reading/dynamo-reading-table.ts';
import { dataFolder } from '../server/data-folder.ts';
import type { RelayParts } from '../server/relay-parts.ts';
import { openBodies } from './serve-bodies.ts';
import type { ServeStore } from './serve-store.ts';

/**
 * Where a server keeps readings: in the registry's table, and their larger bodies in its own data folder, wherever the
 * table is. Rejects with `ObjectStoreError`.
 */
export async function openReadings(
  config: RelayConfig,
  { table }: Pick<ServeStore, 'table'>,
  clock: Clock,
): Promise<RelayParts['readings']> {
  const bodies = await openBodies(dataFolder(config.dataFolder).readings, clock);
  return { readingTable: new DynamoReadingTable(table), bodies, ...config.readings };
}
