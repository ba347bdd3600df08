import { QueryCommand } from '@aws-sdk/client-dynamodb';
import type { Item } from '../registry/dynamo-attribute.ts';
import { call, type DynamoTable } from '../registry/dynamo-call.ts';

/** Which items of a partition are wanted, in the words of DynamoDB's filter expressions. */
export interface ItemFilter {
  readonly FilterExpression: string;
  readonly ExpressionAttributeNames: Record<string, string>;
  readonly values: Item;
}

/** A strong read of a partition, page by page, in the order of its sort keys; at most `limit` items. */
export async function readWholePartition(
  table: DynamoTable,
  pk: string,
  limit: number,
  filter?: ItemFilter,
): Promise<readonly Item[]> {
  const items: Item[] = [];
  const { values, ...expression } = filter ?? { values: {} };
  let start: Item | undefined;
  do {
    const command = new QueryCommand({
      TableName: table.name,
      ConsistentRead: true,
      KeyConditionExpression: 'pk = :pk',
      ...expression,
      ExpressionAttributeValues: { ':pk': { S: pk }, ...values },
      ...(start === undefined ? undefined : { ExclusiveStartKey: start }),
    });
    const answer = await call(table, () => table.client.send(command));
    items.push(...(answer.Items ?? []));
    start = answer.LastEvaluatedKey;
  } while (start !== undefined && items.length < limit);
  return items.slice(0, limit);
}
