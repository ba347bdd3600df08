import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { LinkRecord } from './registry.ts';

/** A condition on the item as it stands, in the words of DynamoDB's condition expressions. */
export interface Condition {
  readonly ConditionExpression: string;
  readonly ExpressionAttributeNames?: Record<string, string>;
  readonly ExpressionAttributeValues?: Record<string, AttributeValue>;
}

/** The item is not there. */
export const absent: Condition = { ConditionExpression: 'attribute_not_exists(pk)' };

/** The item is there. */
export const present: Condition = { ConditionExpression: 'attribute_exists(pk)' };

/**
 * No link is there, or an older one. Links of the same millisecond are told apart by their connection ids, so
 * that any order of events ends alike.
 */
export const linkIsNewer = (connectedAt: number, connectionId: string): Condition => ({
  ConditionExpression:
    'attribute_not_exists(pk) OR connectedAt < :connectedAt' +
    ' OR (connectedAt = :connectedAt AND connectionId < :connectionId)',
  ExpressionAttributeValues: {
    ':connectedAt': { N: String(connectedAt) },
    ':connectionId': { S: connectionId },
  },
});

/** The link is still this connection's, and has not had its last word. */
export const stillOwner = (connectionId: string): Condition => ({
  ConditionExpression: 'connectionId = :connectionId AND attribute_not_exists(closedAt)',
  ExpressionAttributeValues: { ':connectionId': { S: connectionId } },
});

/** A word of DynamoDB's own ("Reserved words in DynamoDB"). */
const agentIsReserved = { '#agent': 'agent' };

/** A newer link has not said hello, and until then this connection goes on taking the pulls. */
export const stillServes = (connectionId: string): Condition => ({
  ConditionExpression: 'replaces = :connectionId AND #agent = :unsaid',
  ExpressionAttributeNames: agentIsReserved,
  ExpressionAttributeValues: { ':connectionId': { S: connectionId }, ':unsaid': { S: '' } },
});

/** The instance's link is in all that decides who takes its pulls as it was read. */
export function linkIsAsRead(read: LinkRecord): Condition {
  const { connectionId, agent, replaces } = read;
  const set = (name: string, is: boolean) => `attribute${is ? '' : '_not'}_exists(${name})`;
  return {
    ConditionExpression: [
      'connectionId = :readId AND #agent = :readAgent',
      set('closedAt', read.closedAt !== undefined),
      set('drainingAt', read.drainingAt !== undefined),
      replaces === undefined ? set('replaces', false) : 'replaces = :readReplaces',
    ].join(' AND '),
    ExpressionAttributeNames: agentIsReserved,
    ExpressionAttributeValues: {
      ':readId': { S: connectionId },
      ':readAgent': { S: agent },
      ...(replaces === undefined ? undefined : { ':readReplaces': { S: replaces } }),
    },
  };
}

/** The link is the one that was read, unchanged in what made it old: nobody reopened it meanwhile. */
export const stillThisLink = (connectionId: string): Condition => ({
  ConditionExpression: 'connectionId = :connectionId',
  ExpressionAttributeValues: { ':connectionId': { S: connectionId } },
});

/** The device is unknown, or known with this very key and not revoked. */
export const deviceIsNewOrHasKey = (publicKey: string): Condition => ({
  ConditionExpression:
    'attribute_not_exists(pk) OR (publicKey = :publicKey AND attribute_not_exists(revokedAt))',
  ExpressionAttributeValues: { ':publicKey': { S: publicKey } },
});

/** The item is there and nobody has revoked it: a device or a caller's key. */
export const inForce: Condition = {
  ConditionExpression: 'attribute_exists(pk) AND attribute_not_exists(revokedAt)',
};

/** The device has this key, and is not revoked. */
export const deviceHasKey = (publicKey: string): Condition => ({
  ConditionExpression: 'publicKey = :currentKey AND attribute_not_exists(revokedAt)',
  ExpressionAttributeValues: { ':currentKey': { S: publicKey } },
});

/** The device waits for the first use of this next key, and is not revoked. */
export const deviceAwaitsKey = (nextKey: string): Condition => ({
  ConditionExpression: 'nextKey = :nextKey AND attribute_not_exists(revokedAt)',
  ExpressionAttributeValues: { ':nextKey': { S: nextKey } },
});

/** The key is unknown, or this is the same record again (a repeat of a write whose answer was lost), not revoked. */
export const keyIsNewOrSame = (id: string): Condition => ({
  ConditionExpression: 'attribute_not_exists(pk) OR (id = :id AND attribute_not_exists(revokedAt))',
  ExpressionAttributeValues: { ':id': { S: id } },
});

/** The key has these grants, as the text that was read, and is not revoked. */
export const keyHasGrants = (text: string): Condition => ({
  ConditionExpression: 'grants = :before AND attribute_not_exists(revokedAt)',
  ExpressionAttributeValues: { ':before': { S: text } },
});

/** The key is there, and no use of it as late as this one was noted. */
export const keyUsedBefore = (at: number): Condition => ({
  ConditionExpression:
    'attribute_exists(pk) AND (attribute_not_exists(lastUsedAt) OR lastUsedAt < :at)',
  ExpressionAttributeValues: { ':at': { N: String(at) } },
});

/** The code is unknown, or this is the same record again, and nobody has spent it. */
export const codeIsNewOrSame = (id: string): Condition => ({
  ConditionExpression: 'attribute_not_exists(pk) OR (id = :id AND attribute_not_exists(spent))',
  ExpressionAttributeValues: { ':id': { S: id } },
});

/** The code is there, nobody has spent it, and at this time (milliseconds) it has not run out. */
export const codeIsGood = (at: number): Condition => ({
  ConditionExpression: 'attribute_not_exists(spent) AND expiresAt > :at',
  ExpressionAttributeValues: { ':at': { N: String(Math.floor(at / 1000)) } },
});

/** The code is there, and nobody has spent it. */
export const codeIsUnspent: Condition = {
  ConditionExpression: 'attribute_exists(pk) AND attribute_not_exists(spent)',
};

/** The code is spent, and what it was spent for is not finished. */
export const codeIsUnfinished: Condition = {
  ConditionExpression: 'attribute_exists(spent) AND attribute_not_exists(doneAt)',
};

/** The item ran out before this time (milliseconds). */
export const expiredBefore = (before: number): Condition => ({
  ConditionExpression: 'expiresAt < :before',
  ExpressionAttributeValues: { ':before': { N: String(Math.floor(before / 1000)) } },
});

/** The item was to be kept until before this time (milliseconds). */
export const keptUntilBefore = (before: number): Condition => ({
  ConditionExpression: 'keptUntil < :before',
  ExpressionAttributeValues: { ':before': { N: String(before) } },
});

/** The table's schema still has this version. */
export const schemaIs = (version: number): Condition => ({
  ConditionExpression: 'version = :before',
  ExpressionAttributeValues: { ':before': { N: String(version) } },
});
