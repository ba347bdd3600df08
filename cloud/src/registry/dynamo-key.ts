import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { type Item, keyOf, textOf } from './dynamo-attribute.ts';
import { readItems } from './dynamo-batch.ts';
import { call, type DynamoTable, write } from './dynamo-call.ts';
import { inForce, keyIsNewOrSame, keyUsedBefore } from './dynamo-condition.ts';
import { keyItem, keyOfItem } from './dynamo-item.ts';
import { listById, listPage } from './dynamo-list.ts';
import { setAttributes } from './dynamo-set.ts';
import { itemKeys, listKinds } from './dynamo-table.ts';
import type { KeyRecord, Page, PageRequest } from './registry.ts';
import { RegistryError } from './registry-error.ts';

export async function readKey(table: DynamoTable, hash: string): Promise<KeyRecord | undefined> {
  const answer = await call(table, () =>
    table.client.send(
      new GetItemCommand({
        TableName: table.name,
        Key: itemKeys.callerKey(hash),
        ConsistentRead: true,
      }),
    ),
  );
  return answer.Item === undefined ? undefined : keyOfItem(answer.Item);
}

export async function readKeys(table: DynamoTable, page: PageRequest): Promise<Page<KeyRecord>> {
  const list = await listPage(table, listKinds.key, page);
  const items = (await readItems(table, list.items))
    .map(keyOfItem)
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  return list.next === undefined ? { items } : { items, next: list.next };
}

/** The id is 36 random bits: the look-up before is enough to keep ids apart for people. */
export async function addKey(table: DynamoTable, record: KeyRecord): Promise<void> {
  const holders = await listById(table, listKinds.key, record.id);
  const taken = holders.some((entry) => !isKey(entry, record.hash));
  const written = !taken && (await put(table, record));
  if (!written) throw new RegistryError('conflict', `the key id ${record.id} is taken`);
}

function put(table: DynamoTable, record: KeyRecord): Promise<boolean> {
  return write(table, () =>
    table.client.send(
      new PutItemCommand({
        TableName: table.name,
        Item: keyItem(record),
        ...keyIsNewOrSame(record.id),
      }),
    ),
  );
}

const isKey = (entry: Item, hash: string) => textOf(entry, 'pk') === itemKeys.callerKey(hash).pk.S;

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
