import { DeleteItemCommand } from '@aws-sdk/client-dynamodb';
import { type Item, keyOf } from './dynamo-attribute.ts';
import { type DynamoTable, write } from './dynamo-call.ts';
import {
  codeIsGood,
  codeIsNewOrSame,
  codeIsUnfinished,
  codeIsUnspent,
} from './dynamo-condition.ts';
import { getItem } from './dynamo-get.ts';
import { enrolCodeItem, enrolCodeOfItem } from './dynamo-item.ts';
import { listById } from './dynamo-list.ts';
import { putListed, readListed } from './dynamo-listed.ts';
import { setAttributes } from './dynamo-set.ts';
import { itemKeys, listKinds } from './dynamo-table.ts';
import type { EnrolCodeRecord, EnrolCodeUse, Page, PageRequest } from './registry.ts';
import { RegistryError } from './registry-error.ts';

export async function readEnrolCode(
  table: DynamoTable,
  hash: string,
): Promise<EnrolCodeRecord | undefined> {
  const item = await getItem(table, itemKeys.enrolCode(hash));
  return item && enrolCodeOfItem(item);
}

export function readEnrolCodes(
  table: DynamoTable,
  page: PageRequest,
): Promise<Page<EnrolCodeRecord>> {
  return readListed(table, listKinds.enrolCode, page, enrolCodeOfItem);
}

/** An id has 30 random bits or more (`putListed`). */
export async function addEnrolCode(table: DynamoTable, record: EnrolCodeRecord): Promise<void> {
  if (await putListed(table, enrolCodeItem(record), codeIsNewOrSame(record.id))) return;
  throw new RegistryError('conflict', `the id ${record.id} of an enrolment code is taken`);
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
