import { DeleteItemCommand } from '@aws-sdk/client-dynamodb';
import { type Item, textOf } from './dynamo-attribute.ts';
import { type DynamoTable, write } from './dynamo-call.ts';
import {
  absent,
  linkIsAsRead,
  linkIsNewer,
  stillOwner,
  stillServes,
  stillThisLink,
} from './dynamo-condition.ts';
import { getItem } from './dynamo-get.ts';
import { linkItem, linkOfItem } from './dynamo-item.ts';
import { putItem } from './dynamo-put.ts';
import { changeItem, setAttributes } from './dynamo-set.ts';
import { itemKeys } from './dynamo-table.ts';
import type { LinkDescription, LinkRecord } from './registry.ts';

export async function openLink(table: DynamoTable, link: LinkRecord): Promise<'opened' | 'older'> {
  const isNewer = linkIsNewer(link.connectedAt, link.connectionId);
  const written = await putItem(table, linkItem(link), isNewer);
  return written || (await isOpen(table, link)) ? 'opened' : 'older';
}

export function replaceLink(
  table: DynamoTable,
  before: LinkRecord | undefined,
  link: LinkRecord,
): Promise<boolean> {
  return putItem(table, linkItem(link), before === undefined ? absent : linkIsAsRead(before));
}

/** Whether an earlier attempt wrote this very link, and its answer was lost. */
async function isOpen(table: DynamoTable, link: LinkRecord): Promise<boolean> {
  const stored = await readLink(table, link.device, link.instance);
  return stored?.connectionId === link.connectionId && stored.closedAt === undefined;
}

export async function readLink(
  table: DynamoTable,
  device: string,
  instance: string,
): Promise<LinkRecord | undefined> {
  const item = await getItem(table, itemKeys.link(device, instance));
  return item && linkOfItem(item);
}

export async function drainLink(
  table: DynamoTable,
  device: string,
  instance: string,
  connectionId: string,
  at: number,
): Promise<boolean> {
  const key = itemKeys.link(device, instance);
  const drained = await setAttributes(table, key, { drainingAt: at }, stillOwner(connectionId));
  return drained || serveNoMore(table, key, connectionId);
}

export async function describeLink(
  table: DynamoTable,
  device: string,
  instance: string,
  connectionId: string,
  hello: LinkDescription,
): Promise<LinkRecord | undefined> {
  const { agent, sources, labels, features, run } = hello;
  const key = itemKeys.link(device, instance);
  const said = { agent, sources, labels, features, ...(run !== undefined && { run }) };
  // Whose word `agent` is stays open until the newer link says hello.
  const served = { sources, labels, features };
  const item =
    (await changeItem(table, key, said, stillOwner(connectionId))) ??
    (await changeItem(table, key, served, stillServes(connectionId)));
  return item && linkOfItem(item);
}

export async function closeLink(
  table: DynamoTable,
  device: string,
  instance: string,
  connectionId: string,
  end: { readonly at: number; readonly why: string },
): Promise<boolean> {
  const key = itemKeys.link(device, instance);
  const last = { closedAt: end.at, closedWhy: end.why };
  const closed = await setAttributes(table, key, last, stillOwner(connectionId));
  return closed || serveNoMore(table, key, connectionId);
}

/** From now on nobody takes the pulls until the newer link's hello. */
function serveNoMore(table: DynamoTable, key: Item, connectionId: string): Promise<boolean> {
  return setAttributes(table, key, {}, stillServes(connectionId), ['replaces']);
}

/** Removes a link unless another one took its place since it was read. */
export function removeLink(table: DynamoTable, item: Item): Promise<boolean> {
  return write(table, () =>
    table.client.send(
      new DeleteItemCommand({
        TableName: table.name,
        Key: itemKeys.link(textOf(item, 'device'), textOf(item, 'instance')),
        ...stillThisLink(textOf(item, 'connectionId')),
      }),
    ),
  );
}
