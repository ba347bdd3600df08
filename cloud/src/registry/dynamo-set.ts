import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { type Item, toItem } from './dynamo-attribute.ts';
import { type DynamoTable, write } from './dynamo-call.ts';
import type { Condition } from './dynamo-condition.ts';

/** Sets these attributes of an item, and removes those, where the condition holds; false where it does not. */
export async function setAttributes(
  table: DynamoTable,
  key: Item,
  values: Record<string, unknown>,
  condition: Condition,
  removed: readonly string[] = [],
): Promise<boolean> {
  return (await changeItem(table, key, values, condition, removed)) !== undefined;
}

/** As `setAttributes`; resolves with the item as it was written, undefined where the condition does not hold. */
export async function changeItem(
  table: DynamoTable,
  key: Item,
  values: Record<string, unknown>,
  condition: Condition,
  removed: readonly string[] = [],
): Promise<Item | undefined> {
  let written: Item | undefined;
  await write(table, async () => {
    const command = updateCommand(table, key, values, condition, removed);
    written = (await table.client.send(command)).Attributes ?? {};
  });
  return written;
}

function updateCommand(
  table: DynamoTable,
  key: Item,
  values: Record<string, unknown>,
  condition: Condition,
  removed: readonly string[],
): UpdateItemCommand {
  const names = Object.keys(values);
  const sets = names.map((name) => `#${name} = :${name}`).join(', ');
  const removes = removed.map((name) => `#${name}`).join(', ');
  const changes = [
    ...(sets === '' ? [] : [`SET ${sets}`]),
    ...(removes === '' ? [] : [`REMOVE ${removes}`]),
  ];
  return new UpdateItemCommand({
    TableName: table.name,
    Key: key,
    UpdateExpression: changes.join(' '),
    ConditionExpression: condition.ConditionExpression,
    ExpressionAttributeNames: {
      ...condition.ExpressionAttributeNames,
      ...Object.fromEntries([...names, ...removed].map((name) => [`#${name}`, name])),
    },
    ExpressionAttributeValues: {
      ...condition.ExpressionAttributeValues,
      ...toItem(Object.fromEntries(names.map((name) => [`:${name}`, values[name]]))),
    },
    ReturnValues: 'ALL_NEW',
  });
}
