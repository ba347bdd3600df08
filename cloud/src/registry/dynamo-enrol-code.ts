import { DeleteItemCommand, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { type Item, keyOf, textOf } from './dynamo-attribute.ts';
import { readItems } from './dynamo-batch.ts';
import { call, type DynamoTable, write } from './dynamo-call.ts';
import {
  codeIsGood,
  codeIsNewOrSame,
  codeIsUnfinished,
  codeIsUnspent,
} from './dynamo-condition.ts';
import { enrolCodeItem, enrolCodeOfItem } from './dynamo-item.ts';
import { listById, listPage } from './dynamo-list.ts';
import { setAttributes } from './dynamo-set.ts';
import { itemKeys, listKinds } from './dynamo-table.ts';
import type { EnrolCodeRecord, EnrolCodeUse, Page, PageRequest } from './registry.ts';
import { RegistryError } from './registry-error.ts';

export async function readEnrolCode(
  table: DynamoTable,
  hash: string,
): Promise<EnrolCodeRecord | undefined> {
  const answer = await call(table, () =>
    table.client.send(
      new GetItemCommand({
        TableName: table.name,
        Key: itemKeys.enrolCode(hash),
        ConsistentRead: true,
      }),
    ),
  );
  return answer.Item === undefined ? undefined : enrolCodeOfItem(answer.Item);
}

export async function readEnrolCodes(
  table: DynamoTable,
  page: PageRequest,
): Promise<Page<EnrolCodeRecord>> {
  const list = await listPage(table, listKinds.enrolCode, page);
  const items = (await readItems(table, list.items))
    .map(enrolCodeOfItem)
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  return list.next === undefined ? { items } : { items, next: list.next };
}

/** As with caller keys, the look-up before is enough to keep ids apart for people: an id has 30 random bits or more. */
export async function addEnrolCode(table: DynamoTable, record: EnrolCodeRecord): Promise<void> {
  const own = itemKeys.enrolCode(record.hash).pk.S;
  const holders = await listById(table, listKinds.enrolCode, record.id);
  const taken = holders.some((entry) => textOf(entry, 'pk') !== own);
  const written = !taken && (await put(table, record));
  if (!written) {
    throw new RegistryError('conflict', `the id ${record.id} of an enrolment code is taken`);
  }
}

function put(table: DynamoTable, record: EnrolCodeRecord): Promise<boolean> {
  return write(table, () =>
    table.client.send(
      new PutItemCommand({
        TableName: table.name,
        Item: enrolCodeItem(record),
        ...codeIsNewOrSame(record.id),
      }),
    ),
  );
}

/** One write. Where its answer was lost and it is sent again, it says false: the record says whose the code became. */
export function spendEnrolCode(
  table: DynamoTable,
  hash: string,
  use: EnrolCodeUse,
): Promise<boolean> {
  return setAttributes(table, itemKeys.enrolCode(hash), { spent: use }, codeIsGood(use.at));
}

export async function finishEnrolCode(table: DynamoTable, hash: string, at: number): Promise<void> {
  await setAttributes(table, itemKeys.enrolCode(hash), { doneAt: at }, codeIsUnfinished);
}

/** Every unspent code of this id, should two writers have raced for it: forgetting one too many is the safe side. */
export async function removeEnrolCode(table: DynamoTable, id: string): Promise<boolean> {
  const holders = await listById(table, listKinds.enrolCode, id);
  const removed = await Promise.all(holders.map((entry) => remove(table, entry)));
  return removed.includes(true);
}

function remove(table: DynamoTable, entry: Item): Promise<boolean> {
  return write(table, () =>
    table.client.send(
      new DeleteItemCommand({ TableName: table.name, Key: keyOf(entry), ...codeIsUnspent }),
    ),
  );
}
