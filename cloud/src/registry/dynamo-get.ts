import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import type { Item } from './dynamo-attribute.ts';
import { call, type DynamoTable } from './dynamo-call.ts';

/** A strong read of one item; undefined where it is not there. */
export async function getItem(table: DynamoTable, key: Item): Promise<Item | undefined> {
  const answer = await call(table, () =>
    table.client.send(
      new GetItemCommand({ TableName: table.name, Key: key, ConsistentRead: true }),
    ),
  );
  return answer.Item;
}
