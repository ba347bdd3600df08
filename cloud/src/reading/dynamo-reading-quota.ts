import { numberOf } from '../registry/dynamo-attribute.ts';
import type { DynamoTable } from '../registry/dynamo-call.ts';
import { absent, type Condition } from '../registry/dynamo-condition.ts';
import { getItem } from '../registry/dynamo-get.ts';
import { setAttributes } from '../registry/dynamo-set.ts';
import { itemKeys } from '../registry/dynamo-table.ts';
import { deleteItems } from './dynamo-write-batch.ts';
import type { QuotaLevel } from './quota-level.ts';
import { dayMs } from './reading-limit.ts';

/** Nobody has counted since it was read. */
const isStill = ({ bytes, at }: QuotaLevel): Condition => ({
  ConditionExpression: 'usedBytes = :before AND countedAt = :at',
  ExpressionAttributeValues: { ':before': { N: String(bytes) }, ':at': { N: String(at) } },
});

export async function readQuotaLevel(
  table: DynamoTable,
  device: string,
): Promise<QuotaLevel | undefined> {
  const item = await getItem(table, itemKeys.readingQuota(device));
  return item && { bytes: numberOf(item, 'usedBytes'), at: numberOf(item, 'countedAt') };
}

export function forgetQuota(table: DynamoTable, device: string): Promise<void> {
  return deleteItems(table, [itemKeys.readingQuota(device)]);
}

/** After a day all of it is forgiven: a table may remove it then. */
export function replaceQuotaLevel(
  table: DynamoTable,
  device: string,
  before: QuotaLevel | undefined,
  { bytes, at }: QuotaLevel,
): Promise<boolean> {
  const values = { usedBytes: bytes, countedAt: at, expiresAt: Math.ceil((at + dayMs) / 1_000) };
  const condition = before === undefined ? absent : isStill(before);
  return setAttributes(table, itemKeys.readingQuota(device), values, condition);
}
