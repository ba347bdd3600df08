import {
  type AttributeValue,
  QueryCommand,
  type QueryCommandInput,
} from '@aws-sdk/client-dynamodb';
import { type Item, textOf } from '../registry/dynamo-attribute.ts';
import { call, type DynamoTable } from '../registry/dynamo-call.ts';
import { getItem } from '../registry/dynamo-get.ts';
import { itemKeys } from '../registry/dynamo-table.ts';
import { openReadingItem } from './dynamo-open-readings.ts';
import {
  pieceItem,
  pieceOfItem,
  pieceSortPrefix,
  readingItem,
  readingOfItem,
  readingSortKey,
  timeText,
} from './dynamo-reading-item.ts';
import { deleteItems, putItems } from './dynamo-write-batch.ts';
import type { DividedReading, ReadingTime, StoredReading } from './reading.ts';
import type { PieceRecord, RangePage, RangeRequest } from './reading-table.ts';

/** Sorts behind every key that begins with the text before it: no key holds it. */
const behind = '~';
/** Sorts before whatever follows a key: no name holds it. */
const next = '!';

export function putReadings(table: DynamoTable, readings: readonly StoredReading[]): Promise<void> {
  return putItems(table, readings.map(readingItem));
}

export async function readReading(
  table: DynamoTable,
  device: string,
  time: ReadingTime,
): Promise<StoredReading | undefined> {
  const item = await getItem(table, itemKeys.reading(device, readingSortKey(time)));
  return item && readingOfItem(item);
}

/** One query, which ends at 1 MB of items (Query, "Paginating table query results"). */
export async function readRange(table: DynamoTable, request: RangeRequest): Promise<RangePage> {
  const { device, since, until, after, limit, source, path } = request;
  if (until <= since) return { items: [] };
  const from = after === undefined ? timeText(since) : `${readingSortKey(after)}${next}`;
  const range = [from, `${timeText(until - 1)}${behind}`] as const;
  const { items, last } = await between(table, itemKeys.reading(device, '').pk, range, limit, {
    source,
    path,
  });
  return { items: items.map(readingOfItem), ...(last && { next: timeOf(last) }) };
}

/** A cursor may lie behind the end: then there is nothing. */
function timeOf(item: Item): ReadingTime {
  const [at, schedule] = textOf(item, 'sk').split('#') as [string, string];
  return { at: Number(at), schedule };
}

export function putPiece(table: DynamoTable, piece: PieceRecord, openUntil: number): Promise<void> {
  return putItems(table, [pieceItem(piece), openReadingItem(piece, openUntil)]);
}

/** A query brings at least the 1,024 that a reading may have: they are small. */
export async function readPieces(
  table: DynamoTable,
  device: string,
  of: DividedReading,
): Promise<readonly PieceRecord[]> {
  const prefix = pieceSortPrefix(of);
  const partition = itemKeys.readingPiece(device, '').pk;
  const { items } = await between(table, partition, [prefix, prefix + behind]);
  return items.map(pieceOfItem);
}

export async function readOldReadings(
  table: DynamoTable,
  device: string,
  before: number,
  limit: number,
): Promise<readonly StoredReading[]> {
  const partition = itemKeys.reading(device, '').pk;
  return (await old(table, partition, before, limit)).map(readingOfItem);
}

export async function readOldPieces(
  table: DynamoTable,
  device: string,
  before: number,
  limit: number,
): Promise<readonly PieceRecord[]> {
  const partition = itemKeys.readingPiece(device, '').pk;
  return (await old(table, partition, before, limit)).map(pieceOfItem);
}

export function removeReadings(
  table: DynamoTable,
  readings: readonly StoredReading[],
): Promise<void> {
  return deleteItems(table, readings.map(readingItem));
}

export function removePieces(table: DynamoTable, pieces: readonly PieceRecord[]): Promise<void> {
  return deleteItems(table, pieces.map(pieceItem));
}

async function old(
  table: DynamoTable,
  partition: AttributeValue,
  before: number,
  limit: number,
): Promise<readonly Item[]> {
  if (before <= 0) return [];
  const range = [timeText(0), `${timeText(before - 1)}${behind}`] as const;
  return (await between(table, partition, range, limit)).items;
}

/** Strong, and in the order of the sort keys; `limit`: items that are looked at. */
async function between(
  table: DynamoTable,
  partition: AttributeValue,
  [from, to]: readonly [string, string],
  limit?: number,
  wanted: { readonly source?: string | undefined; readonly path?: string | undefined } = {},
): Promise<{ readonly items: readonly Item[]; readonly last: Item | undefined }> {
  if (from > to) return { items: [], last: undefined };
  const { values, ...filter } = filterOf(wanted);
  const answer = await call(table, () =>
    table.client.send(
      new QueryCommand({
        TableName: table.name,
        ConsistentRead: true,
        KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
        ExpressionAttributeValues: {
          ':pk': partition,
          ':from': { S: from },
          ':to': { S: to },
          ...values,
        },
        ...filter,
        ...(limit !== undefined && { Limit: limit }),
      }),
    ),
  );
  return { items: answer.Items ?? [], last: answer.LastEvaluatedKey };
}

type Filter = Pick<QueryCommandInput, 'FilterExpression' | 'ExpressionAttributeNames'> & {
  values?: Record<string, AttributeValue>;
};

function filterOf(wanted: Readonly<Record<string, string | undefined>>): Filter {
  const filter = Object.entries(wanted).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  if (filter.length === 0) return {};
  return {
    FilterExpression: filter.map(([name]) => `#${name} = :${name}`).join(' AND '),
    ExpressionAttributeNames: Object.fromEntries(filter.map(([name]) => [`#${name}`, name])),
    values: Object.fromEntries(filter.map(([name, value]) => [`:${name}`, { S: value }])),
  };
}
