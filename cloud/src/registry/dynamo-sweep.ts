import { DeleteItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { type Item, keyOf, numbersOf, textOf } from './dynamo-attribute.ts';
import { readItems } from './dynamo-batch.ts';
import { call, type DynamoTable, write } from './dynamo-call.ts';
import { expiredBefore } from './dynamo-condition.ts';
import { isLink } from './dynamo-item.ts';
import { removeLink } from './dynamo-link.ts';
import { listPage } from './dynamo-list.ts';
import { sweepQueue } from './dynamo-sweep-queue.ts';
import { itemKeys, listKinds } from './dynamo-table.ts';
import type { Registry } from './registry.ts';

export type SweepRequest = Parameters<Registry['sweep']>[0];

/** Entries of the list that are looked at before anything of them is removed: so memory stays small. */
const pageLimit = 100;

/**
 * Looks through the lists, and for spent tokens, which are in none, through the devices. Never through the whole table:
 * that holds readings, which are many, and each of them would be paid for. What was renewed since it was read stays.
 */
export async function sweep(table: DynamoTable, request: SweepRequest): Promise<number> {
  let removed = 0;
  for (const kind of [listKinds.link, listKinds.key, listKinds.enrolCode, listKinds.device]) {
    let after: string | undefined;
    do {
      const page = { limit: pageLimit, ...(after !== undefined && { after }) };
      const list = await listPage(table, kind, page);
      const found =
        kind === listKinds.device
          ? await spentTokens(table, list.items, request)
          : await readItems(table, list.items);
      const old = found.filter((item) => isOld(item, request));
      removed += await removeAll(table, old.slice(0, request.limit - removed), request);
      after = list.next;
    } while (after !== undefined && removed < request.limit);
  }
  const { keptBefore, limit } = request;
  if (keptBefore === undefined) return removed;
  return removed + (await sweepQueue(table, keptBefore, limit - removed));
}

async function removeAll(
  table: DynamoTable,
  items: readonly Item[],
  { closedBefore }: SweepRequest,
): Promise<number> {
  const gone = await Promise.all(items.map((item) => remove(table, item, closedBefore)));
  return gone.filter(Boolean).length;
}

function isOld(item: Item, { closedBefore }: SweepRequest): boolean {
  const { closedAt, expiresAt } = numbersOf(item, 'closedAt', 'expiresAt');
  const isClosed = closedAt !== undefined && closedAt < closedBefore;
  return isClosed || (expiresAt !== undefined && expiresAt < Math.floor(closedBefore / 1_000));
}

/** Of these devices, at most as many of each as one query brings. */
async function spentTokens(
  table: DynamoTable,
  devices: readonly Item[],
  { closedBefore }: SweepRequest,
): Promise<Item[]> {
  const found: Item[] = [];
  for (const device of devices) {
    const answer = await call(table, () =>
      table.client.send(
        new QueryCommand({
          TableName: table.name,
          KeyConditionExpression: 'pk = :pk',
          FilterExpression: 'expiresAt < :before',
          ExpressionAttributeValues: {
            ':pk': itemKeys.spentToken(deviceOf(device), '').pk,
            ':before': { N: String(Math.floor(closedBefore / 1_000)) },
          },
        }),
      ),
    );
    found.push(...(answer.Items ?? []));
  }
  return found;
}

const devicePartition = itemKeys.device('').pk.S;

function deviceOf(entry: Item): string {
  return textOf(entry, 'pk').slice(devicePartition.length);
}

/** Keys, enrolment codes and spent tokens go by their expiry alone, as it stands when they are removed. */
function remove(table: DynamoTable, item: Item, before: number): Promise<boolean> {
  if (isLink(item)) return removeLink(table, item);
  return write(table, () =>
    table.client.send(
      new DeleteItemCommand({
        TableName: table.name,
        Key: keyOf(item),
        ...expiredBefore(before),
      }),
    ),
  );
}
