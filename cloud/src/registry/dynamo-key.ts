import { type Item, keyOf } from './dynamo-attribute.ts';
import type { DynamoTable } from './dynamo-call.ts';
import { inForce, keyIsNewOrSame, keyUsedBefore } from './dynamo-condition.ts';
import { getItem } from './dynamo-get.ts';
import { keyItem, keyOfItem } from './dynamo-item.ts';
import { listById } from './dynamo-list.ts';
import { putListed, readListed } from './dynamo-listed.ts';
import { setAttributes } from './dynamo-set.ts';
import { itemKeys, listKinds } from './dynamo-table.ts';
import type { KeyRecord, Page, PageRequest } from './registry.ts';
import { RegistryError } from './registry-error.ts';

export async function readKey(table: DynamoTable, hash: string): Promise<KeyRecord | undefined> {
  const item = await getItem(table, itemKeys.callerKey(hash));
  return item && keyOfItem(item);
}

export function readKeys(table: DynamoTable, page: PageRequest): Promise<Page<KeyRecord>> {
  return readListed(table, listKinds.key, page, keyOfItem);
}

/** An id has 30 random bits or more (`putListed`). */
export async function addKey(table: DynamoTable, record: KeyRecord): Promise<void> {
  if (await putListed(table, keyItem(record), keyIsNewOrSame(record.id))) return;
  throw new RegistryError('conflict', `the key id ${record.id} is taken`);
}

/** Every key of this id, should two writers have raced for it: revoking one too many is the safe side. */
export async function revokeKey(table: DynamoTable, id: string, at: number): Promise<boolean> {
  const holders = await listById(table, listKinds.key, id);
  const revoked = await Promise.all(holders.map((item) => revoke(table, item, at)));
  return revoked.includes(true);
}

function revoke(table: DynamoTable, entry: Item, at: number): Promise<boolean> {
  return setAttributes(table, keyOf(entry), { revokedAt: at }, inForce);
}

/** One write; it changes nothing where the key is gone, or a use at least as late was noted. */
export async function noteKeyUse(table: DynamoTable, hash: string, at: number): Promise<void> {
  await setAttributes(table, itemKeys.callerKey(hash), { lastUsedAt: at }, keyUsedBefore(at));
}
