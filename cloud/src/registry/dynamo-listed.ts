import { type Item, textOf } from './dynamo-attribute.ts';
import { readItems } from './dynamo-batch.ts';
import type { DynamoTable } from './dynamo-call.ts';
import type { Condition } from './dynamo-condition.ts';
import { listById, listPage } from './dynamo-list.ts';
import { putItem } from './dynamo-put.ts';
import type { Page, PageRequest } from './registry.ts';

/** One page of the records of a kind, in the order of their ids. */
export async function readListed<T extends { readonly id: string }>(
  table: DynamoTable,
  kind: string,
  page: PageRequest,
  recordOf: (item: Item) => T,
): Promise<Page<T>> {
  const list = await listPage(table, kind, page);
  const items = (await readItems(table, list.items))
    .map(recordOf)
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  return list.next === undefined ? { items } : { items, next: list.next };
}

/**
 * Writes an item, where the condition holds and no other item of its kind has its id; false where not. Ids are random:
 * the look-up before is enough to keep them apart for people.
 */
export async function putListed(
  table: DynamoTable,
  item: Item,
  condition: Condition,
): Promise<boolean> {
  const own = textOf(item, 'pk');
  const holders = await listById(table, textOf(item, 'kind'), textOf(item, 'id'));
  if (holders.some((entry) => textOf(entry, 'pk') !== own)) return false;
  return putItem(table, item, condition);
}
