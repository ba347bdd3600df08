import { hash } from 'node:crypto';
import { isErrorCode, stages } from '@pullwire/shared';
import * as v from 'valibot';
import {
  type Item,
  jsonOf,
  numberOf,
  numbersOf,
  textOf,
  textsOf,
  toItem,
} from '../registry/dynamo-attribute.ts';
import { itemKeys, keptListId, listKinds } from '../registry/dynamo-table.ts';
import {
  type PullEnd,
  type PullRef,
  type QueuedPull,
  queuedStates,
  type Sending,
} from './queued-pull.ts';
import type { ReplyFrame } from './reply-frame.ts';

const state = v.picklist(queuedStates);
const headerList = v.array(v.string());
const fault = v.object({
  code: v.custom<NonNullable<PullEnd['fault']>['code']>(
    (code) => typeof code === 'string' && isErrorCode(code),
  ),
  stage: v.picklist(stages),
  detail: v.string(),
  answeredBy: v.picklist(['agent', 'relay']),
  extra: v.exactOptional(v.record(v.string(), v.union([v.string(), v.number()]))),
});

/** An id begins with its time: in hexadecimal its order as text is that of the time. */
const orderOf = (id: string): string => Buffer.from(id, 'base64url').toString('hex');

export const keyOfPull = ({ device, id }: PullRef): Item =>
  itemKeys.queuedPull(device, orderOf(id));

/** Owners are ids of keys, or an issuer's and its subject's, which may hold any letters. */
export const listedOwner = (owner: string): string => hash('sha256', owner, 'base64url');

/** What the list index holds of a pull while it is open. */
const listedAs = { kind: listKinds.queuedPull } as const;

/** What it holds of what is only kept: in the order in which the sweep is to find it. */
export const keptAs = (keptUntil: number, what: string) => ({
  kind: listKinds.keptPull,
  id: keptListId(keptUntil, what),
});

/** Of a pull that has ended. */
export const endedAs = ({ device, id }: PullRef, keptUntil: number) =>
  keptAs(keptUntil, `${orderOf(id)}#${device}`);

/** As DynamoDB's TTL wants it (epoch seconds). */
export const expiryOf = (keptUntil: number): number => Math.ceil(keptUntil / 1_000);

export function pullItem(pull: QueuedPull): Item {
  const { sending: _, end: __, body, ...rest } = pull;
  return {
    ...keyOfPull(pull),
    ...toItem({
      ...rest,
      pullId: pull.id,
      ...listedAs,
      id: `${listedOwner(pull.owner)}#${orderOf(pull.id)}`,
      expiresAt: expiryOf(pull.keptUntil),
    }),
    ...(body.length === 0 ? undefined : { body: { B: body } }),
  };
}

export function pullOfItem(item: Item): QueuedPull {
  const now = v.parse(state, textOf(item, 'state'));
  return {
    id: textOf(item, 'pullId'),
    device: textOf(item, 'device'),
    owner: textOf(item, 'owner'),
    caller: textOf(item, 'caller'),
    source: textOf(item, 'source'),
    method: textOf(item, 'method'),
    path: textOf(item, 'path'),
    headers: item['headers'] ? jsonOf(item, 'headers', headerList) : [],
    body: item['body']?.B ?? new Uint8Array(0),
    queuedAt: numberOf(item, 'queuedAt'),
    deadlineAt: numberOf(item, 'deadlineAt'),
    answerMs: numberOf(item, 'answerMs'),
    keepMs: numberOf(item, 'keepMs'),
    keptUntil: numberOf(item, 'keptUntil'),
    sends: numberOf(item, 'sends'),
    state: now,
    ...textsOf(item, 'keyHash', 'query'),
    ...numbersOf(item, 'besideBytes'),
    ...sendingOf(item),
    ...endOf(item, now),
  };
}

function sendingOf(item: Item): { sending?: Sending } {
  const { sentAs, connectionId } = textsOf(item, 'sentAs', 'connectionId');
  if (sentAs === undefined) return {};
  const sentAt = numberOf(item, 'sentAt');
  const answerBy = numberOf(item, 'answerBy');
  const known = { sentAs, sentAt, answerBy, connectionId: connectionId ?? '' };
  return { sending: { ...known, ...numbersOf(item, 'bodySent') } };
}

function endOf(item: Item, now: QueuedPull['state']): { end?: PullEnd } {
  if (now === 'queued' || now === 'sent') return {};
  const { status, bytes = 0, beside } = numbersOf(item, 'status', 'bytes', 'beside');
  const reply = { bytes, ...(beside === 1 && { beside: true as const }) };
  return {
    end: {
      state: now,
      endedAt: numberOf(item, 'endedAt'),
      ...(status === undefined ? undefined : { reply: { status, ...reply } }),
      ...(item['fault'] ? { fault: jsonOf(item, 'fault', fault) } : undefined),
    },
  };
}

const head = v.object({
  status: v.number(),
  reason: v.exactOptional(v.string()),
  headers: headerList,
  timing: v.exactOptional(v.object({ agentMs: v.number(), upstreamMs: v.number() })),
});

export function frameItem(sentAs: string, frame: ReplyFrame, keptUntil: number): Item {
  const { action, seq } = frame;
  const body = action === 'end' ? undefined : frame.body;
  return {
    ...itemKeys.replyFrame(sentAs, seq),
    ...toItem({
      action,
      seq,
      ends: action === 'end' || frame.end ? 1 : 0,
      head: action === 'head' ? headOf(frame) : undefined,
      keptUntil,
      expiresAt: expiryOf(keptUntil),
      ...keptAs(keptUntil, `${sentAs}#${seq}`),
    }),
    ...(body === undefined || body.length === 0 ? undefined : { body: { B: body } }),
  };
}

function headOf({ status, reason, headers, timing }: Extract<ReplyFrame, { action: 'head' }>) {
  return { status, reason, headers, timing };
}

/** What names its pull and its place is left out: whoever asked knows. */
export function frameOfItem(item: Item, pullId: string): ReplyFrame {
  const action = v.parse(v.picklist(['head', 'body', 'end']), textOf(item, 'action'));
  const common = { pullId, replyTo: '', seq: numberOf(item, 'seq') };
  const end = numberOf(item, 'ends') === 1;
  const body = item['body']?.B ?? new Uint8Array(0);
  switch (action) {
    case 'head':
      return { ...common, ...jsonOf(item, 'head', head), action, seq: 0, end, body };
    case 'body':
      return { ...common, action, end, body };
    case 'end':
      return { ...common, action };
  }
}
