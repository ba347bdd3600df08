import type { AttributeValue } from '@aws-sdk/client-dynamodb';

/** A condition on the item as it stands, in the words of DynamoDB's condition expressions. */
export interface Condition {
  readonly ConditionExpression: string;
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

/** The link is the one that was read, unchanged in what made it old: nobody reopened it meanwhile. */
export const stillThisLink = (connectionId: string): Condition => ({
  ConditionExpression: 'connectionId = :connectionId',
  ExpressionAttributeValues: { ':connectionId': { S: connectionId } },
});

/** The device is unknown, or known with this very key. */
export const deviceIsNewOrHasKey = (publicKey: string): Condition => ({
  ConditionExpression: 'attribute_not_exists(pk) OR publicKey = :publicKey',
  ExpressionAttributeValues: { ':publicKey': { S: publicKey } },
});

/** The key is unknown, or this is the same record again (a repeat of a write whose answer was lost). */
export const keyIsNewOrSame = (id: string): Condition => ({
  ConditionExpression: 'attribute_not_exists(pk) OR id = :id',
  ExpressionAttributeValues: { ':id': { S: id } },
});

/** The key is there and in force. */
export const keyInForce: Condition = {
  ConditionExpression: 'attribute_exists(pk) AND attribute_not_exists(revokedAt)',
};

/** The key ran out before this time (milliseconds). */
export const keyExpiredBefore = (before: number): Condition => ({
  ConditionExpression: 'expiresAt < :before',
  ExpressionAttributeValues: { ':before': { N: String(Math.floor(before / 1000)) } },
});
