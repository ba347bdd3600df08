import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { type Item, toItem } from './dynamo-attribute.ts';
import { type DynamoTable, write } from './dynamo-call.ts';
import type { Condition } from './dynamo-condition.ts';

/** Sets these attributes of an item, and removes those, where the condition holds; false where it does not. */
export function setAttributes(
  table: DynamoTable,
  key: Item,
  values: Record<string, unknown>,
  condition: Condition,
  removed: readonly string[] = [],
): Promise<boolean> {
  const names = Object.keys(values);
  const sets = names.map((name) => `#${name} = :${name}`).join(', ');
  const removes = removed.map((name) => `#${name}`).join(', ');
  return write(table, () =>
    table.client.send(
      new UpdateItemCommand({
        TableName: table.name,
        Key: key,
        UpdateExpression: `SET ${sets}${removes === '' ? '' : ` REMOVE ${removes}`}`,
        ConditionExpression: condition.ConditionExpression,
        ExpressionAttributeNames: Object.fromEntries(
          [...names, ...removed].map((name) => [`#${name}`, name]),
        ),
        ExpressionAttributeValues: {
          ...condition.ExpressionAttributeValues,
          ...toItem(Object.fromEntries(names.map((name) => [`:${name}`, values[name]]))),
        },
      }),
    ),
  );
}
