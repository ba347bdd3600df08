import { QueryCommand } from '@aws-sdk/client-dynamodb';
import { type Item, textOf } from '../registry/dynamo-attribute.ts';
import { call, type DynamoTable } from '../registry/dynamo-call.ts';
import { absent, type Condition } from '../registry/dynamo-condition.ts';
import { getItem } from '../registry/dynamo-get.ts';
import { listBetween, listPage } from '../registry/dynamo-list.ts';
import { putItem } from '../registry/dynamo-put.ts';
import { setAttributes } from '../registry/dynamo-set.ts';
import { itemKeys, listKinds, queuePrefix } from '../registry/dynamo-table.ts';
import { RegistryError } from '../registry/registry-error.ts';
import {
  expiryOf,
  frameItem,
  frameOfItem,
  keyOfPull,
  listedOwner,
  pullItem,
  pullOfItem,
} from './dynamo-queue-item.ts';
import type { QueueStore } from './queue-store.ts';
import type { PullEnd, PullRef, PullStands, QueuedPull, Sending } from './queued-pull.ts';
import type { ReplyFrame } from './reply-frame.ts';

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

const ofSending = ['sentAs', 'sentAt', 'answerBy', 'connectionId'] as const;
/** With its end a pull leaves the list, and its request goes. */
const ofRequest = ['kind', 'id', 'headers', 'body'] as const;

/** Queued pulls in the registry's table: a device's in one partition, each reply in one of its own. */
export class DynamoQueueStore implements QueueStore {
  readonly #table: DynamoTable;

  constructor({ client, name }: DynamoTable) {
    this.#table = { client, name };
  }

  async addPull(pull: QueuedPull): Promise<void> {
    if (await putItem(this.#table, pullItem(pull), absent)) return;
    const stored = await this.queuedPull(pull, 0);
    // The very same again: a write whose answer was lost.
    if (stored?.owner === pull.owner && stored.queuedAt === pull.queuedAt) return;
    throw new RegistryError('conflict', `the id ${pull.id} of a queued pull is taken`);
  }

  async queuedPull(ref: PullRef, now: number): Promise<QueuedPull | undefined> {
    const item = await getItem(this.#table, keyOfPull(ref));
    if (item === undefined) return undefined;
    const pull = pullOfItem(item);
    return pull.keptUntil <= now ? undefined : pull;
  }

  async openPulls(device: string, limit: number): Promise<readonly QueuedPull[]> {
    const { pk } = itemKeys.queuedPull(device, '');
    const items = await this.#partition(pk.S, limit, {
      FilterExpression: '#state IN (:queued, :sent)',
      ExpressionAttributeNames: names,
      values: { ':queued': { S: 'queued' }, ':sent': { S: 'sent' } },
    });
    return items.map(pullOfItem);
  }

  async countOpen(owner: string, most: number): Promise<number> {
    const prefix = `${listedOwner(owner)}#`;
    const range = [prefix, `${prefix}~`] as const;
    return (await listBetween(this.#table, listKinds.queuedPull, range, most)).items.length;
  }

  async openDevices(): Promise<ReadonlySet<string>> {
    const devices = new Set<string>();
    let after: string | undefined;
    do {
      const page = await listPage(this.#table, listKinds.queuedPull, {
        limit: 100,
        ...(after === undefined ? undefined : { after }),
      });
      for (const item of page.items) devices.add(textOf(item, 'pk').slice(queuePrefix.length));
      after = page.next;
    } while (after !== undefined);
    return devices;
  }

  markSent(pull: QueuedPull, sending: Sending): Promise<boolean> {
    const values = { state: 'sent', ...sending, sends: pull.sends + 1 };
    return setAttributes(this.#table, keyOfPull(pull), values, isUnsentOrThis(sending));
  }

  takeBack(ref: PullRef, sentAs: string): Promise<boolean> {
    const key = keyOfPull(ref);
    return setAttributes(this.#table, key, { state: 'queued' }, isSentAs(sentAs), ofSending);
  }

  endPull(ref: PullRef, stands: PullStands, end: PullEnd, keptUntil: number): Promise<boolean> {
    const { state, endedAt, reply, fault } = end;
    const known = { status: reply?.status, bytes: reply?.bytes, fault };
    const values = {
      state,
      endedAt,
      keptUntil,
      expiresAt: expiryOf(keptUntil),
      ...Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined)),
    };
    const condition = stands === 'queued' ? isQueued : isSentAs(stands.sentAs);
    return setAttributes(this.#table, keyOfPull(ref), values, condition, ofRequest);
  }

  async addFrame(sentAs: string, frame: ReplyFrame, keptUntil: number): Promise<void> {
    // A second one of the same number is a repeat: the first stays.
    await putItem(this.#table, frameItem(sentAs, frame, keptUntil), absent);
  }

  async frames(sentAs: string): Promise<readonly ReplyFrame[]> {
    const { pk } = itemKeys.replyFrame(sentAs, 0);
    const items = await this.#partition(pk.S, Number.POSITIVE_INFINITY);
    return items.map((item) => frameOfItem(item, sentAs));
  }

  /** A strong read of a partition, page by page, in the order of its sort keys. */
  async #partition(
    pk: string,
    limit: number,
    filter?: {
      readonly FilterExpression: string;
      readonly ExpressionAttributeNames: Record<string, string>;
      readonly values: Item;
    },
  ): Promise<readonly Item[]> {
    const items: Item[] = [];
    const { values, ...expression } = filter ?? { values: {} };
    let start: Item | undefined;
    do {
      const command = new QueryCommand({
        TableName: this.#table.name,
        ConsistentRead: true,
        KeyConditionExpression: 'pk = :pk',
        ...expression,
        ExpressionAttributeValues: { ':pk': { S: pk }, ...values },
        ...(start === undefined ? undefined : { ExclusiveStartKey: start }),
      });
      const answer = await call(this.#table, () => this.#table.client.send(command));
      items.push(...(answer.Items ?? []));
      start = answer.LastEvaluatedKey;
    } while (start !== undefined && items.length < limit);
    return items.slice(0, limit);
  }
}
