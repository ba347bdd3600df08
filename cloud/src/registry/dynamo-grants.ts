import { isDeepStrictEqual } from 'node:util';
import { type Item, textOf } from './dynamo-attribute.ts';
import { readItems } from './dynamo-batch.ts';
import type { DynamoTable } from './dynamo-call.ts';
import { keyHasGrants } from './dynamo-condition.ts';
import { keyOfItem } from './dynamo-item.ts';
import { listById } from './dynamo-list.ts';
import { setAttributes } from './dynamo-set.ts';
import { itemKeys, listKinds } from './dynamo-table.ts';
import type { Grant } from './registry.ts';

/**
 * A strong read tells whether the grants are those of `before`; the write asks that the text is still the one that was
 * read, since two texts may say the same. Where two keys have the id, neither is changed: nobody knows which is meant.
 */
export async function changeGrants(
  table: DynamoTable,
  id: string,
  before: readonly Grant[],
  grants: readonly Grant[],
): Promise<boolean> {
  const holders = await readItems(table, await listById(table, listKinds.key, id));
  const [item] = holders;
  if (item === undefined || holders.length > 1) return false;
  if (!isDeepStrictEqual(keyOfItem(item).grants, before)) return false;
  return replace(table, item, grants);
}

function replace(table: DynamoTable, item: Item, grants: readonly Grant[]): Promise<boolean> {
  const key = itemKeys.callerKey(textOf(item, 'hash'));
  return setAttributes(table, key, { grants }, keyHasGrants(textOf(item, 'grants')));
}
