import { DeleteItemCommand } from '@aws-sdk/client-dynamodb';
import { type Item, keyOf, numbersOf } from './dynamo-attribute.ts';
import { readItems } from './dynamo-batch.ts';
import { type DynamoTable, write } from './dynamo-call.ts';
import { keptUntilBefore } from './dynamo-condition.ts';
import { listBetween, listPage } from './dynamo-list.ts';
import { keptListId, listKinds } from './dynamo-table.ts';

/** Entries of the list that are removed before further ones are read. */
const pageLimit = 100;
/** Pulls that are open hold their requests, of up to 256 KB. */
const openPageLimit = 20;

/**
 * Removes queued pulls, and frames of replies to them, that were to be kept until before `keptBefore` (milliseconds); at
 * most `limit`. Returns how many.
 */
export async function sweepQueue(
  table: DynamoTable,
  keptBefore: number,
  limit: number,
): Promise<number> {
  const removed = await sweepKept(table, keptBefore, limit);
  return removed + (await sweepOpen(table, keptBefore, limit - removed));
}

/** Only those whose time is over: their list is in that order. */
async function sweepKept(table: DynamoTable, keptBefore: number, limit: number): Promise<number> {
  const last = keptListId(keptBefore, '');
  let removed = 0;
  let from: string | undefined = keptListId(0, '');
  while (from !== undefined && removed < limit) {
    const page = await listBetween(table, listKinds.keptPull, [from, last], pageLimit);
    removed += await removeKept(table, page.items.slice(0, limit - removed), keptBefore);
    from = page.next;
  }
  return removed;
}

/** Pulls whose end nobody came to write: their device was never back, and nobody asked for them. */
async function sweepOpen(table: DynamoTable, keptBefore: number, limit: number): Promise<number> {
  let removed = 0;
  let after: string | undefined;
  do {
    const page = { limit: openPageLimit, ...(after !== undefined && { after }) };
    const list = await listPage(table, listKinds.queuedPull, page);
    const found = await readItems(table, list.items);
    const over = found.filter((item) => isOver(item, keptBefore));
    removed += await removeKept(table, over.slice(0, limit - removed), keptBefore);
    after = list.next;
  } while (after !== undefined && removed < limit);
  return removed;
}

function isOver(item: Item, keptBefore: number): boolean {
  const { keptUntil } = numbersOf(item, 'keptUntil');
  return keptUntil !== undefined && keptUntil < keptBefore;
}

/** By their time as it stands when they are removed. */
async function removeKept(
  table: DynamoTable,
  entries: readonly Item[],
  keptBefore: number,
): Promise<number> {
  const gone = await Promise.all(
    entries.map((entry) =>
      write(table, () =>
        table.client.send(
          new DeleteItemCommand({
            TableName: table.name,
            Key: keyOf(entry),
            ...keptUntilBefore(keptBefore),
          }),
        ),
      ),
    ),
  );
  return gone.filter(Boolean).length;
}
