import type { CreateTableCommandInput } from '@aws-sdk/client-dynamodb';

/**
 * The table as data, for whoever creates it: the embedded engine here, Terraform on AWS. One partition a device
 * (its profile and its links), one for the tokens that a device spent, three for its readings, one for its queued pulls,
 * one or two a reply to such a pull, one for what an owner's pulls have in files or objects, one a caller's key, one an enrolment code, one for the schema's version.
 */
export const tableDefinition = {
  partitionKey: 'pk',
  sortKey: 'sk',
  /** For lists. Keys only, so that a fleet that redials writes nothing to it: a link's keys never change. */
  listIndex: { name: 'by-kind', partitionKey: 'kind', sortKey: 'id', projection: 'KEYS_ONLY' },
  /** Epoch seconds. TTL may be switched on; nothing relies on it. */
  expiryAttribute: 'expiresAt',
  billingMode: 'PAY_PER_REQUEST',
} as const;

/** Raised with every change that an older pullwire would misread. 2: devices can be revoked, grants can end: it would let them in. */
export const schemaVersion = 2;

const definition = tableDefinition;

/** DynamoDB's own form of the definition. */
export function createTableInput(table: string): CreateTableCommandInput {
  const { partitionKey, sortKey, listIndex } = definition;
  const names = [partitionKey, sortKey, listIndex.partitionKey, listIndex.sortKey];
  return {
    TableName: table,
    BillingMode: definition.billingMode,
    AttributeDefinitions: names.map((name) => ({ AttributeName: name, AttributeType: 'S' })),
    KeySchema: keySchema(partitionKey, sortKey),
    GlobalSecondaryIndexes: [
      {
        IndexName: listIndex.name,
        KeySchema: keySchema(listIndex.partitionKey, listIndex.sortKey),
        Projection: { ProjectionType: listIndex.projection },
      },
    ],
  };
}

function keySchema(partition: string, sort: string): CreateTableCommandInput['KeySchema'] {
  return [
    { AttributeName: partition, KeyType: 'HASH' },
    { AttributeName: sort, KeyType: 'RANGE' },
  ];
}

/** A device's queued pulls have a partition of their own: a look at the device reads none of them. */
export const queuePrefix = 'queue#';

/** Where each kind of item lives. `#` occurs in no id (shared/name.ts), so no two ids can meet. */
export const itemKeys = {
  device: (device: string) => ({ pk: { S: `device#${device}` }, sk: { S: 'profile' } }),
  link: (device: string, instance: string) => ({
    pk: { S: `device#${device}` },
    sk: { S: `link#${instance}` },
  }),
  callerKey: (hash: string) => ({ pk: { S: `key#${hash}` }, sk: { S: 'key' } }),
  /** The ids of tokens come from the wire: `hash` has a length and letters that every key may have. */
  spentToken: (device: string, hash: string) => ({
    pk: { S: `token#${device}` },
    sk: { S: `token#${hash}` },
  }),
  enrolCode: (hash: string) => ({ pk: { S: `enrol#${hash}` }, sk: { S: 'code' } }),
  /** `order`: hexadecimal digits that sort as the pulls were queued. */
  queuedPull: (device: string, order: string) => ({
    pk: { S: `${queuePrefix}${device}` },
    sk: { S: `pull#${order}` },
  }),
  /** Five digits, so that frames sort by their numbers. */
  replyFrame: (sentAs: string, seq: number) => ({
    pk: { S: `reply#${sentAs}` },
    sk: { S: `frame#${String(seq).padStart(5, '0')}` },
  }),
  /** What is known of a reply that goes by object storage. */
  replyUpload: (sentAs: string, place: string) => ({
    pk: { S: `reply-upload#${sentAs}` },
    sk: { S: place },
  }),
  /** What an owner of queued pulls has stored beside the table, a key of the bodies each. `owner`: a hash. */
  queueBody: (owner: string, key: string) => ({
    pk: { S: `queue-bodies#${owner}` },
    sk: { S: key },
  }),
  /** One partition a device, in the order of their times. `time`: see `readingSortKey`. */
  reading: (device: string, time: string) => ({ pk: { S: `readings#${device}` }, sk: { S: time } }),
  readingPiece: (device: string, place: string) => ({
    pk: { S: `reading-pieces#${device}` },
    sk: { S: place },
  }),
  /** Of readings whose last piece has not come. */
  openReading: (device: string, place: string) => ({
    pk: { S: `open-readings#${device}` },
    sk: { S: place },
  }),
  /** Paths come from the wire: `hash` of a series has a length and letters that every key may have. */
  latestReading: (device: string, hash: string) => ({
    pk: { S: `latest-readings#${device}` },
    sk: { S: hash },
  }),
  readingQuota: (device: string) => ({ pk: { S: `reading-quota#${device}` }, sk: { S: 'level' } }),
  schema: () => ({ pk: { S: 'schema' }, sk: { S: 'version' } }),
};

export const linkSortPrefix = 'link#';

/** Kinds of the list index, and how ids sort in it: a device's links together, in the order of the devices. */
export const listKinds = {
  device: 'device',
  link: 'link',
  key: 'key',
  enrolCode: 'enrol-code',
  /** Queued pulls while they wait or are out. */
  queuedPull: 'queued-pull',
  /** Queued pulls that have ended, and the frames and parts of their replies, in the order in which their time is over. */
  keptPull: 'kept-pull',
  /** What queued pulls have stored beside the table, in the order in which its time is over. */
  queueBody: 'queue-body',
  /** Of readings what tells which devices have some: an entry a series, and one a reading whose pieces are not all there. */
  readings: 'readings',
} as const;
/** `keptUntil`: epoch milliseconds, as digits that sort. `what` tells those of the same millisecond apart. */
export const keptListId = (keptUntil: number, what: string) =>
  `${String(Math.max(0, Math.ceil(keptUntil))).padStart(16, '0')}#${what}`;
export const linkListId = (device: string, instance: string) => `${device}#${instance}`;
/** Sorts after every link of this device: no instance's name holds a `~`. */
export const lastLinkListId = (device: string) => `${device}#~`;
