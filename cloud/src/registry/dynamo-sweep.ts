import { DeleteItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { type Item, keyOf } from './dynamo-attribute.ts';
import { call, type DynamoTable, write } from './dynamo-call.ts';
import { expiredBefore } from './dynamo-condition.ts';
import { isLink } from './dynamo-item.ts';
import { removeLink } from './dynamo-link.ts';

/** Items that one scan looks at: a few are removed before the next scan, so memory stays small. */
const scanLimit = 500;

/** Looks through the whole table, a piece at a time. What was renewed since it was read stays. */
export async function sweep(
  table: DynamoTable,
  request: { readonly closedBefore: number; readonly limit: number },
): Promise<number> {
  let removed = 0;
  let start: Item | undefined;
  do {
    const { items, last } = await scanOld(table, request.closedBefore, start);
    const old = items.slice(0, request.limit - removed);
    const gone = await Promise.all(old.map((item) => remove(table, item, request.closedBefore)));
    removed += gone.filter(Boolean).length;
    start = last;
  } while (start !== undefined && removed < request.limit);
  return removed;
}

interface ScanPage {
  readonly items: readonly Item[];
  readonly last: Item | undefined;
}

async function scanOld(table: DynamoTable, before: number, start?: Item): Promise<ScanPage> {
  const answer = await call(table, () =>
    table.client.send(
      new ScanCommand({
        TableName: table.name,
        Limit: scanLimit,
        FilterExpression: 'closedAt < :before OR expiresAt < :beforeSeconds',
        ExpressionAttributeValues: {
          ':before': { N: String(before) },
          ':beforeSeconds': { N: String(Math.floor(before / 1000)) },
        },
        ...(start === undefined ? {} : { ExclusiveStartKey: start }),
      }),
    ),
  );
  return { items: answer.Items ?? [], last: answer.LastEvaluatedKey };
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
