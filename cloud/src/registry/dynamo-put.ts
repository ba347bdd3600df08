import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { Item } from './dynamo-attribute.ts';
import { type DynamoTable, write } from './dynamo-call.ts';
import type { Condition } from './dynamo-condition.ts';

/** Writes a whole item where the condition holds; false where it does not. */
export function putItem(table: DynamoTable, item: Item, condition: Condition): Promise<boolean> {
  return write(table, () =>
    table.client.send(new PutItemCommand({ TableName: table.name, Item: item, ...condition })),
  );
}
