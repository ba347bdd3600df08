import { QueryCommand } from '@aws-sdk/client-dynamodb';
import { type Item, numberOf, textOf, toItem } from '../registry/dynamo-attribute.ts';
import { call, type DynamoTable } from '../registry/dynamo-call.ts';
import { itemKeys, listKinds } from '../registry/dynamo-table.ts';
import { listIdOf, pieceSortPrefix } from './dynamo-reading-item.ts';
import { deleteItems } from './dynamo-write-batch.ts';
import type { DividedReading } from './reading.ts';
import type { PieceRecord } from './reading-table.ts';

/**
 * Says of a reading that its last piece has not come. It is listed, so that the sweep finds the device; all pieces of an
 * hour write the same, which costs the list's index nothing.
 */
export function openReadingItem({ device, ...piece }: PieceRecord, openUntil: number): Item {
  const { at, schedule, of, expiresAt } = piece;
  const sortKey = pieceSortPrefix(piece);
  const listed = { kind: listKinds.readings, id: listIdOf(device, sortKey) };
  return {
    ...itemKeys.openReading(device, sortKey),
    ...toItem({ at, schedule, of, openUntil, expiresAt, ...listed }),
  };
}

export function closeReading(
  table: DynamoTable,
  device: string,
  reading: DividedReading,
): Promise<void> {
  return deleteItems(table, [itemKeys.openReading(device, pieceSortPrefix(reading))]);
}

/** Looks at all that are open, which of an honest device is one. */
export async function readOpenReadings(
  table: DynamoTable,
  device: string,
  before: number,
  limit: number,
): Promise<readonly DividedReading[]> {
  const found: DividedReading[] = [];
  let start: Item | undefined;
  do {
    const answer = await readPage(table, device, before, start);
    found.push(...(answer.Items ?? []).map(openReadingOf));
    start = answer.LastEvaluatedKey;
  } while (start !== undefined && found.length < limit);
  return found.slice(0, limit);
}

function readPage(table: DynamoTable, device: string, before: number, start: Item | undefined) {
  return call(table, () =>
    table.client.send(
      new QueryCommand({
        TableName: table.name,
        ConsistentRead: true,
        KeyConditionExpression: 'pk = :pk',
        FilterExpression: 'openUntil < :before',
        ExpressionAttributeValues: {
          ':pk': itemKeys.openReading(device, '').pk,
          ':before': { N: String(before) },
        },
        ...(start === undefined ? {} : { ExclusiveStartKey: start }),
      }),
    ),
  );
}

function openReadingOf(item: Item): DividedReading {
  return {
    at: numberOf(item, 'at'),
    schedule: textOf(item, 'schedule'),
    of: numberOf(item, 'of'),
  };
}
