import { DeleteItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { keyOf, numberOf, textOf, toItem } from '../registry/dynamo-attribute.ts';
import { call, type DynamoTable } from '../registry/dynamo-call.ts';
import { listBetween } from '../registry/dynamo-list.ts';
import { itemKeys, keptListId, listKinds } from '../registry/dynamo-table.ts';
import { readWholePartition } from './dynamo-partition.ts';
import { listedOwner } from './dynamo-queue-item.ts';
import type { KeptBody } from './kept-body.ts';

/** Notes that are read before their bodies are removed. */
const pageLimit = 100;

export async function noteBody(table: DynamoTable, body: KeptBody): Promise<void> {
  const { owner, key, bytes, keptUntil } = body;
  // No `expiresAt`: where DynamoDB removed the note by itself, nobody would know of the body.
  const item = {
    ...itemKeys.queueBody(listedOwner(owner), key),
    ...toItem({ bytes, keptUntil, kind: listKinds.queueBody, id: keptListId(keptUntil, key) }),
  };
  await call(table, () =>
    table.client.send(new PutItemCommand({ TableName: table.name, Item: item })),
  );
}

export async function bodiesOf(
  table: DynamoTable,
  owner: string,
  now: number,
): Promise<readonly KeptBody[]> {
  const { pk } = itemKeys.queueBody(listedOwner(owner), '');
  const items = await readWholePartition(table, pk.S, Number.POSITIVE_INFINITY);
  const bodies = items.map((item) => ({
    owner,
    key: textOf(item, 'sk'),
    bytes: numberOf(item, 'bytes'),
    keptUntil: numberOf(item, 'keptUntil'),
  }));
  return bodies.filter(({ keptUntil }) => keptUntil > now);
}

export async function forgetBody(table: DynamoTable, owner: string, key: string): Promise<void> {
  await removeNote(table, itemKeys.queueBody(listedOwner(owner), key));
}

/** By the list, which is in the order of their times. */
export async function sweepBodies(
  table: DynamoTable,
  { keptBefore, limit }: { readonly keptBefore: number; readonly limit: number },
  removed: (key: string) => Promise<void>,
): Promise<number> {
  const last = keptListId(keptBefore, '');
  let count = 0;
  let from: string | undefined = keptListId(0, '');
  while (from !== undefined && count < limit) {
    const page = await listBetween(table, listKinds.queueBody, [from, last], pageLimit);
    for (const entry of page.items.slice(0, limit - count)) {
      await removed(textOf(entry, 'sk'));
      await removeNote(table, keyOf(entry));
      count += 1;
    }
    from = page.next;
  }
  return count;
}

async function removeNote(table: DynamoTable, key: ReturnType<typeof keyOf>): Promise<void> {
  await call(table, () =>
    table.client.send(new DeleteItemCommand({ TableName: table.name, Key: key })),
  );
}
