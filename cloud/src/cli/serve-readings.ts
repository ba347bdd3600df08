import { randomBytes } from 'node:crypto';
import type { Clock } from '@pullwire/shared';
import type { RelayConfig } from '../config/relay-config.ts';
import { DynamoReadingTable } from '../reading/dynamo-reading-table.ts';
import { FolderReadingBodies } from '../reading/folder-reading-bodies.ts';
import { dataFolder } from '../server/data-folder.ts';
import type { RelayParts } from '../server/relay-parts.ts';
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
  const bodies = new FolderReadingBodies({
    folder: dataFolder(config.dataFolder).readings,
    clock,
    newId: () => randomBytes(16).toString('base64url'),
  });
  await bodies.start();
  return { readingTable: new DynamoReadingTable(table), bodies, ...config.readings };
}
