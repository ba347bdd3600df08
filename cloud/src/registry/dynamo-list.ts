import { type AttributeValue, QueryCommand } from '@aws-sdk/client-dynamodb';
import { type Item, textOf } from './dynamo-attribute.ts';
import { call, type DynamoTable } from './dynamo-call.ts';
import { tableDefinition } from './dynamo-table.ts';
import type { Page, PageRequest } from './registry.ts';

const index = tableDefinition.listIndex;

/** Entries of a page at most, whatever is asked. */
const pageLimit = 100;

/** Ids of pages have fewer characters: what follows changes no order, but DynamoDB refuses it over 1,024 bytes. */
const afterLimit = 256;

/** One page of a kind, in the order of ids: keys of items, which follow the table by a moment on AWS. */
export async function listPage(
  table: DynamoTable,
  kind: string,
  page: PageRequest,
): Promise<Page<Item>> {
  const limit = Math.min(page.limit, pageLimit);
  const after = page.after?.slice(0, afterLimit);
  if (after === undefined || after === '') return query(table, kind, limit);
  return query(table, kind, limit, { condition: '#id > :a', values: { ':a': { S: after } } });
}

/** The entries with this id: one, unless two writers raced for it. */
export async function listById(
  table: DynamoTable,
  kind: string,
  id: string,
): Promise<readonly Item[]> {
  const range = { condition: '#id = :a', values: { ':a': { S: id } } };
  return (await query(table, kind, pageLimit, range)).items;
}

/** The entries from one id to another, at most `limit`. */
export function listBetween(
  table: DynamoTable,
  kind: string,
  [first, last]: readonly [string, string],
  limit: number,
): Promise<Page<Item>> {
  const values = { ':a': { S: first }, ':b': { S: last } };
  return query(table, kind, limit, { condition: '#id BETWEEN :a AND :b', values });
}

interface IdRange {
  readonly condition: string;
  readonly values: Record<string, AttributeValue>;
}

async function query(
  table: DynamoTable,
  kind: string,
  limit: number,
  range?: IdRange,
): Promise<Page<Item>> {
  const names = { '#kind': index.partitionKey };
  const answer = await call(table, () =>
    table.client.send(
      new QueryCommand({
        TableName: table.name,
        IndexName: index.name,
        Limit: limit,
        KeyConditionExpression: `#kind = :kind${range ? ` AND ${range.condition}` : ''}`,
        ExpressionAttributeNames: range ? { ...names, '#id': index.sortKey } : names,
        ExpressionAttributeValues: { ':kind': { S: kind }, ...range?.values },
      }),
    ),
  );
  const items = answer.Items ?? [];
  const last = answer.LastEvaluatedKey;
  return last === undefined ? { items } : { items, next: textOf(last, index.sortKey) };
}
