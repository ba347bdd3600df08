import type { ByteRange } from '../object/object-store.ts';
import { type Item, textOf } from '../registry/dynamo-attribute.ts';
import type { DynamoTable } from '../registry/dynamo-call.ts';
import { absent, type Condition } from '../registry/dynamo-condition.ts';
import { getItem } from '../registry/dynamo-get.ts';
import { listBetween, listPage } from '../registry/dynamo-list.ts';
import { putItem } from '../registry/dynamo-put.ts';
import { setAttributes } from '../registry/dynamo-set.ts';
import { itemKeys, listKinds, queuePrefix } from '../registry/dynamo-table.ts';
import { RegistryError } from '../registry/registry-error.ts';
import { readWholePartition } from './dynamo-partition.ts';
import {
  endedAs,
  expiryOf,
  keyOfPull,
  listedOwner,
  pullItem,
  pullOfItem,
} from './dynamo-queue-item.ts';
import type { PullEnd, PullRef, PullStands, QueuedPull, Sending } from './queued-pull.ts';

/** `state` is a word of DynamoDB's own ("Reserved words in DynamoDB"). */
const names = { '#state': 'state' };

/** Nobody has sent it; or it was this very sending, whose answer was lost. */
const isUnsentOrThis = ({ sentAs }: Sending): Condition => ({
  ConditionExpression: '#state = :queued OR (#state = :sent AND sentAs = :this)',
  ExpressionAttributeNames: names,
  ExpressionAttributeValues: {
    ':queued': { S: 'queued' },
    ':sent': { S: 'sent' },
    ':this': { S: sentAs },
  },
});

/** Nobody has sent it. */
const isQueued: Condition = {
  ConditionExpression: '#state = :queued',
  ExpressionAttributeNames: names,
  ExpressionAttributeValues: { ':queued': { S: 'queued' } },
};

/** It is out, as this sending. */
const isSentAs = (sentAs: string): Condition => ({
  ConditionExpression: '#state = :sent AND sentAs = :this',
  ExpressionAttributeNames: names,
  ExpressionAttributeValues: { ':sent': { S: 'sent' }, ':this': { S: sentAs } },
});

/** It is out, as this sending, and so much of its body is undertaken: by nobody more. */
const isSentUpTo = (sentAs: string, bytes: number): Condition => ({
  ConditionExpression:
    '#state = :sent AND sentAs = :this AND ' +
    (bytes === 0 ? 'attribute_not_exists(bodySent)' : 'bodySent = :bytes'),
  ExpressionAttributeNames: names,
  ExpressionAttributeValues: {
    ':sent': { S: 'sent' },
    ':this': { S: sentAs },
    ...(bytes > 0 && { ':bytes': { N: String(bytes) } }),
  },
});

/** It waits, or is out. */
const isOpen = {
  FilterExpression: '#state IN (:queued, :sent)',
  ExpressionAttributeNames: names,
  values: { ':queued': { S: 'queued' }, ':sent': { S: 'sent' } },
};

const ofSending = ['sentAs', 'sentAt', 'answerBy', 'connectionId', 'bodySent'] as const;
/** With its end a pull's request goes. */
const ofRequest = ['headers', 'body', 'besideBytes'] as const;

export async function addPull(table: DynamoTable, pull: QueuedPull): Promise<void> {
  if (await putItem(table, pullItem(pull), absent)) return;
  const stored = await readPull(table, pull, 0);
  // The very same again: a write whose answer was lost.
  if (stored?.owner === pull.owner && stored.queuedAt === pull.queuedAt) return;
  throw new RegistryError('conflict', `the id ${pull.id} of a queued pull is taken`);
}

export async function readPull(
  table: DynamoTable,
  ref: PullRef,
  now: number,
): Promise<QueuedPull | undefined> {
  const item = await getItem(table, keyOfPull(ref));
  if (item === undefined) return undefined;
  const pull = pullOfItem(item);
  return pull.keptUntil <= now ? undefined : pull;
}

export async function readOpenPulls(
  table: DynamoTable,
  device: string,
  limit: number,
): Promise<readonly QueuedPull[]> {
  const { pk } = itemKeys.queuedPull(device, '');
  const items = await readWholePartition(table, pk.S, limit, isOpen);
  return items.map(pullOfItem);
}

export async function countOpen(table: DynamoTable, owner: string, most: number): Promise<number> {
  const prefix = `${listedOwner(owner)}#`;
  const range = [prefix, `${prefix}~`] as const;
  return (await listBetween(table, listKinds.queuedPull, range, most)).items.length;
}

export async function listOpenDevices(table: DynamoTable): Promise<ReadonlySet<string>> {
  const devices = new Set<string>();
  const deviceOf = (item: Item) => textOf(item, 'pk').slice(queuePrefix.length);
  let after: string | undefined;
  do {
    const page = { limit: 100, ...(after === undefined ? undefined : { after }) };
    const { items, next } = await listPage(table, listKinds.queuedPull, page);
    for (const item of items) devices.add(deviceOf(item));
    after = next;
  } while (after !== undefined);
  return devices;
}

export function markSent(table: DynamoTable, pull: QueuedPull, sending: Sending): Promise<boolean> {
  const values = { state: 'sent', ...sending, sends: pull.sends + 1 };
  return setAttributes(table, keyOfPull(pull), values, isUnsentOrThis(sending));
}

export function takeBack(table: DynamoTable, ref: PullRef, sentAs: string): Promise<boolean> {
  return setAttributes(table, keyOfPull(ref), { state: 'queued' }, isSentAs(sentAs), ofSending);
}

export function undertakeBody(
  table: DynamoTable,
  ref: PullRef,
  sentAs: string,
  { from, to }: ByteRange,
): Promise<boolean> {
  return setAttributes(table, keyOfPull(ref), { bodySent: to }, isSentUpTo(sentAs, from));
}

export function endPull(
  table: DynamoTable,
  ref: PullRef,
  stands: PullStands,
  end: PullEnd,
  keptUntil: number,
): Promise<boolean> {
  const { state, endedAt, reply, fault } = end;
  const beside = reply?.beside === true ? 1 : undefined;
  const known = { status: reply?.status, bytes: reply?.bytes, beside, fault };
  const values = {
    state,
    endedAt,
    keptUntil,
    expiresAt: expiryOf(keptUntil),
    ...endedAs(ref, keptUntil),
    ...Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined)),
  };
  const condition = stands === 'queued' ? isQueued : isSentAs(stands.sentAs);
  return setAttributes(table, keyOfPull(ref), values, condition, ofRequest);
}
