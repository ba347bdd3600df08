import { DeleteItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { type Item, keyOf, textOf } from '../registry/dynamo-attribute.ts';
import { call, type DynamoTable, write } from '../registry/dynamo-call.ts';
import type { Condition } from '../registry/dynamo-condition.ts';
import { getItem } from '../registry/dynamo-get.ts';
import { listPage } from '../registry/dynamo-list.ts';
import { setAttributes } from '../registry/dynamo-set.ts';
import { itemKeys, listKinds } from '../registry/dynamo-table.ts';
import type { Page } from '../registry/registry.ts';
import { deviceOfListId, latestOfItem, listIdOf, seriesHash } from './dynamo-reading-item.ts';
import type { ReadingSeries } from './reading.ts';
import type { LatestNote, LatestTimes } from './reading-table.ts';

/** Nothing as new as this is noted under the name; the same once more changes nothing. */
const isNewer = (name: 'newestAt' | 'answerAt', at: number): Condition => ({
  ConditionExpression: `attribute_not_exists(${name}) OR ${name} <= :at`,
  ExpressionAttributeValues: { ':at': { N: String(at) } },
});

/** All that is noted was due before this time (milliseconds). */
const isOlder = (before: number): Condition => ({
  ConditionExpression: 'newestAt < :before',
  ExpressionAttributeValues: { ':before': { N: String(before) } },
});

/**
 * One write, where the newest is an answer and nothing newer is noted. Else the newest answer has one of its own: behind a
 * fault the device may have answered, and of a backlog the newer part may have come first.
 */
export async function noteLatest(table: DynamoTable, note: LatestNote): Promise<void> {
  const { device, series, newest, answer } = note;
  const hash = seriesHash(series);
  const key = itemKeys.latestReading(device, hash);
  const listed = { kind: listKinds.readings, id: listIdOf(device, hash) };
  const answered = answer && { answerAt: answer.at, answerSchedule: answer.schedule };
  const { at: newestAt, schedule: newestSchedule, expiresAt } = newest;
  const values = { ...listed, newestAt, newestSchedule, expiresAt };
  const both = answer === newest;
  const noted = await setAttributes(
    table,
    key,
    both ? { ...values, ...answered } : values,
    isNewer('newestAt', newestAt),
  );
  if (answer === undefined || answered === undefined || (both && noted)) return;
  await setAttributes(table, key, { ...listed, ...answered }, isNewer('answerAt', answer.at));
}

export async function readLatest(
  table: DynamoTable,
  device: string,
  series: ReadingSeries,
): Promise<LatestTimes | undefined> {
  const item = await getItem(table, itemKeys.latestReading(device, seriesHash(series)));
  return item && latestOfItem(item);
}

export async function readReadingDevices(
  table: DynamoTable,
  after?: string,
): Promise<Page<string>> {
  const page = { limit: 100, ...(after !== undefined && { after }) };
  const { items, next } = await listPage(table, listKinds.readings, page);
  const devices = new Set(items.map((item) => deviceOfListId(textOf(item, 'id'))));
  return { items: [...devices], ...(next !== undefined && { next }) };
}

export async function removeOldLatest(
  table: DynamoTable,
  device: string,
  before: number,
): Promise<void> {
  let start: Item | undefined;
  do {
    const { items, last } = await readAll(table, device, start);
    const old = items.filter((item) => (latestOfItem(item)?.newest.at ?? 0) < before);
    for (const item of old) await removeOlder(table, item, before);
    start = last;
  } while (start !== undefined);
}

/** A newer one may have been noted since it was read. */
function removeOlder(table: DynamoTable, item: Item, before: number): Promise<boolean> {
  return write(table, () =>
    table.client.send(
      new DeleteItemCommand({ TableName: table.name, Key: keyOf(item), ...isOlder(before) }),
    ),
  );
}

async function readAll(table: DynamoTable, device: string, start: Item | undefined) {
  const answer = await call(table, () =>
    table.client.send(
      new QueryCommand({
        TableName: table.name,
        ConsistentRead: true,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': itemKeys.latestReading(device, '').pk },
        ...(start === undefined ? {} : { ExclusiveStartKey: start }),
      }),
    ),
  );
  return { items: answer.Items ?? [], last: answer.LastEvaluatedKey };
}
