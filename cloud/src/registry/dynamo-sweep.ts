import { DeleteItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { type Item, keyOf } from './dynamo-attribute.ts';
import { call, type DynamoTable, write } from './dynamo-call.ts';
import { expiredBefore, keptUntilBefore } from './dynamo-condition.ts';
import { isLink } from './dynamo-item.ts';
import { removeLink } from './dynamo-link.ts';
import type { Registry } from './registry.ts';

export type SweepRequest = Parameters<Registry['sweep']>[0];

/** Items that one scan looks at: a few are removed before the next scan, so memory stays small. */
const scanLimit = 500;

/** Looks through the whole table, a piece at a time. What was renewed since it was read stays. */
export async function sweep(table: DynamoTable, request: SweepRequest): Promise<number> {
  let removed = 0;
  let start: Item | undefined;
  do {
    const { items, last } = await scanOld(table, request, start);
    const old = items.slice(0, request.limit - removed);
    const gone = await Promise.all(old.map((item) => remove(table, item, request)));
    removed += gone.filter(Boolean).length;
    start = last;
  } while (start !== undefined && removed < request.limit);
  return removed;
}

interface ScanPage {
  readonly items: readonly Item[];
  readonly last: Item | undefined;
}

async function scanOld(
  table: DynamoTable,
  { closedBefore: before, keptBefore = 0 }: SweepRequest,
  start?: Item,
): Promise<ScanPage> {
  const answer = await call(table, () =>
    table.client.send(
      new ScanCommand({
        TableName: table.name,
        Limit: scanLimit,
        FilterExpression: 'closedAt < :before OR expiresAt < :beforeSeconds OR keptUntil < :kept',
        ExpressionAttributeValues: {
          ':kept': { N: String(keptBefore) },
          ':before': { N: String(before) },
          ':beforeSeconds': { N: String(Math.floor(before / 1000)) },
        },
        ...(start === undefined ? {} : { ExclusiveStartKey: start }),
      }),
    ),
  );
  return { items: answer.Items ?? [], last: answer.LastEvaluatedKey };
}

/** All but links go by their time alone, as it stands when they are removed. */
function remove(
  table: DynamoTable,
  item: Item,
  { closedBefore, keptBefore = 0 }: SweepRequest,
): Promise<boolean> {
  if (isLink(item)) return removeLink(table, item);
  const isOver = item['keptUntil'] ? keptUntilBefore(keptBefore) : expiredBefore(closedBefore);
  return write(table, () =>
    table.client.send(
      new DeleteItemCommand({
        TableName: table.name,
        Key: keyOf(item),
        ...isOver,
      }),
    ),
  );
}
