import { setTimeout as wait } from 'node:timers/promises';
import { BatchWriteItemCommand, type WriteRequest } from '@aws-sdk/client-dynamodb';
import { type Item, keyOf } from '../registry/dynamo-attribute.ts';
import { call, type DynamoTable } from '../registry/dynamo-call.ts';
import { RegistryError } from '../registry/registry-error.ts';

/** Items of one call at most (BatchWriteItem, "Service quotas"). */
const batchLimit = 25;
/** Calls for what an answer left out, which happens under throttling; with growing pauses, 6 s in all. */
const triesLimit = 8;
const firstPauseMs = 50;

/** Writes whole items, in place of those of the same keys, of which none may be there twice. */
export function putItems(table: DynamoTable, items: readonly Item[]): Promise<void> {
  return writeAll(
    table,
    items.map((item) => ({ PutRequest: { Item: item } })),
  );
}

/** Those that are not there are no error. */
export function deleteItems(table: DynamoTable, items: readonly Item[]): Promise<void> {
  return writeAll(
    table,
    items.map((item) => ({ DeleteRequest: { Key: keyOf(item) } })),
  );
}

/** One call after the other: a table in this very process serves others in between. */
async function writeAll(table: DynamoTable, requests: readonly WriteRequest[]): Promise<void> {
  for (let at = 0; at < requests.length; at += batchLimit) {
    await writeBatch(table, requests.slice(at, at + batchLimit));
  }
}

async function writeBatch(table: DynamoTable, requests: WriteRequest[]): Promise<void> {
  let left: WriteRequest[] = requests;
  for (let tries = 0; left.length > 0; tries += 1) {
    if (tries === triesLimit) {
      throw new RegistryError('unavailable', `the table "${table.name}" is throttled`);
    }
    if (tries > 0) await wait(firstPauseMs * 2 ** (tries - 1) * Math.random());
    const answer = await call(table, () =>
      table.client.send(new BatchWriteItemCommand({ RequestItems: { [table.name]: left } })),
    );
    left = answer.UnprocessedItems?.[table.name] ?? [];
  }
}
