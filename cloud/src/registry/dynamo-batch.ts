import {
  BatchGetItemCommand,
  type BatchGetItemCommandOutput,
  type KeysAndAttributes,
} from '@aws-sdk/client-dynamodb';
import type { Item } from './dynamo-attribute.ts';
import { call, type DynamoTable } from './dynamo-call.ts';
import { RegistryError } from './registry-error.ts';

/** Keys of one call at most (BatchGetItem, "Service quotas"). */
const batchLimit = 100;
/** Calls for what an answer left out, which happens under throttling and over 16 MB. */
const triesLimit = 8;

/** Strong reads of the items that these index entries point at, in no order; those that are gone are missing. */
export async function readItems(table: DynamoTable, entries: readonly Item[]): Promise<Item[]> {
  const keys = entries.map(({ pk, sk }) => ({ pk, sk }) as Item);
  const batches: Promise<Item[]>[] = [];
  for (let at = 0; at < keys.length; at += batchLimit) {
    batches.push(readBatch(table, keys.slice(at, at + batchLimit)));
  }
  return (await Promise.all(batches)).flat();
}

async function readBatch(table: DynamoTable, keys: Item[]): Promise<Item[]> {
  const items: Item[] = [];
  let request: KeysAndAttributes | undefined = { Keys: keys, ConsistentRead: true };
  for (let tries = 0; request !== undefined && tries < triesLimit; tries += 1) {
    const answer = await send(table, request);
    items.push(...(answer.Responses?.[table.name] ?? []));
    request = answer.UnprocessedKeys?.[table.name];
  }
  if (request === undefined) return items;
  throw new RegistryError('unavailable', `the table "${table.name}" is throttled`);
}

function send(table: DynamoTable, request: KeysAndAttributes): Promise<BatchGetItemCommandOutput> {
  return call(table, () =>
    table.client.send(new BatchGetItemCommand({ RequestItems: { [table.name]: request } })),
  );
}
