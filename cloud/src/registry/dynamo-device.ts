import { DeleteItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { type Item, textOf } from './dynamo-attribute.ts';
import { readItems } from './dynamo-batch.ts';
import { call, type DynamoTable, write } from './dynamo-call.ts';
import { present } from './dynamo-condition.ts';
import { deviceOfItem, isLink, linkOfItem } from './dynamo-item.ts';
import { removeLink } from './dynamo-link.ts';
import { listBetween, listPage } from './dynamo-list.ts';
import { itemKeys, lastLinkListId, listKinds } from './dynamo-table.ts';
import type { Device, DeviceRecord, Page, PageRequest } from './registry.ts';

/** Links read at a time at most: an agent chooses its instances' names, and could choose many. */
const linkReadLimit = 1_000;

/** Profile and links in one strong read; the profile comes first, as its sort key is the last one. */
export async function readDevice(table: DynamoTable, id: string): Promise<Device | undefined> {
  const { items } = await readPartition(table, id, linkReadLimit + 1);
  const [profile, ...links] = items;
  if (profile === undefined || isLink(profile)) return undefined;
  return { record: deviceOfItem(profile), links: links.map(linkOfItem).reverse() };
}

/** The profile alone, which comes first. */
export async function readDeviceRecord(
  table: DynamoTable,
  id: string,
): Promise<DeviceRecord | undefined> {
  const { items } = await readPartition(table, id, 1);
  const [profile] = items;
  return profile === undefined || isLink(profile) ? undefined : deviceOfItem(profile);
}

/** The profiles alone, a hundred in a call. */
export async function readDeviceRecords(
  table: DynamoTable,
  ids: readonly string[],
): Promise<readonly DeviceRecord[]> {
  return (await readItems(table, ids.map(itemKeys.device))).map(deviceOfItem);
}

/** Two queries and a few batches a page, whatever the number of devices. */
export async function readDevices(table: DynamoTable, page: PageRequest): Promise<Page<Device>> {
  const list = await listPage(table, listKinds.device, page);
  const links = await listLinks(table, list.items);
  const profiles = links.upTo === undefined ? list.items : upTo(list.items, links.upTo);
  const devices = collect(await readItems(table, [...profiles, ...links.items]));
  const next = profiles.length < list.items.length ? idOf(profiles.at(-1)) : list.next;
  return next === undefined ? { items: devices } : { items: devices, next };
}

interface LinkList {
  readonly items: readonly Item[];
  /** The device within whose links the list was cut; absent where it is whole. */
  readonly upTo?: string;
}

async function listLinks(table: DynamoTable, profiles: readonly Item[]): Promise<LinkList> {
  const [first, last] = [idOf(profiles[0]), idOf(profiles.at(-1))];
  if (first === undefined || last === undefined) return { items: [] };
  const range = [first, lastLinkListId(last)] as const;
  const { items, next } = await listBetween(table, listKinds.link, range, linkReadLimit);
  return next === undefined ? { items } : { items, upTo: next.slice(0, next.indexOf('#')) };
}

/** The page without the devices whose links were not all listed; never empty, so that the next page is another. */
function upTo(profiles: readonly Item[], device: string): readonly Item[] {
  const whole = profiles.filter((profile) => textOf(profile, 'id') < device);
  return whole.length > 0 ? whole : profiles.slice(0, 1);
}

function idOf(entry: Item | undefined): string | undefined {
  return entry === undefined ? undefined : textOf(entry, 'id');
}

/** Profiles and links, in any order, to devices in the order of their ids; links without a profile are left out. */
function collect(items: readonly Item[]): Device[] {
  const links = Map.groupBy(items.filter(isLink).map(linkOfItem), (link) => link.device);
  return items
    .filter((item) => !isLink(item))
    .map(deviceOfItem)
    .sort((a, b) => (a.device < b.device ? -1 : 1))
    .map((record) => ({ record, links: links.get(record.device) ?? [] }));
}

/** The profile first: from then on the device is unknown, whatever becomes of its links. */
export async function removeDevice(table: DynamoTable, id: string): Promise<boolean> {
  const removed = await write(table, () =>
    table.client.send(
      new DeleteItemCommand({ TableName: table.name, Key: itemKeys.device(id), ...present }),
    ),
  );
  let start: Item | undefined;
  do {
    const { items, last } = await readPartition(table, id, linkReadLimit, start);
    await Promise.all(items.filter(isLink).map((item) => removeLink(table, item)));
    start = last;
  } while (start !== undefined);
  return removed;
}

interface PartitionPage {
  readonly items: readonly Item[];
  readonly last: Item | undefined;
}

async function readPartition(
  table: DynamoTable,
  device: string,
  limit: number,
  start?: Item,
): Promise<PartitionPage> {
  const answer = await call(table, () =>
    table.client.send(
      new QueryCommand({
        TableName: table.name,
        ConsistentRead: true,
        ScanIndexForward: false,
        Limit: limit,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': itemKeys.device(device).pk },
        ...(start === undefined ? {} : { ExclusiveStartKey: start }),
      }),
    ),
  );
  return { items: answer.Items ?? [], last: answer.LastEvaluatedKey };
}
