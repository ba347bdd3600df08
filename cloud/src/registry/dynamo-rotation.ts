import type { DynamoTable } from './dynamo-call.ts';
import { deviceAwaitsKey, deviceHasKey, inForce } from './dynamo-condition.ts';
import { readDeviceRecord } from './dynamo-device.ts';
import { setAttributes } from './dynamo-set.ts';
import { itemKeys } from './dynamo-table.ts';

export function askRotation(table: DynamoTable, id: string, at: number): Promise<boolean> {
  return setAttributes(table, itemKeys.device(id), { rotationAskedAt: at }, inForce);
}

export function offerKey(
  table: DynamoTable,
  id: string,
  currentKey: string,
  nextKey: string,
): Promise<boolean> {
  return setAttributes(table, itemKeys.device(id), { nextKey }, deviceHasKey(currentKey));
}

/**
 * A repeat writes nothing: by then another key may have been offered, or another rotation been asked for, and neither
 * may be lost.
 */
export async function promoteKey(
  table: DynamoTable,
  id: string,
  nextKey: string,
): Promise<boolean> {
  const promoted = await setAttributes(
    table,
    itemKeys.device(id),
    { publicKey: nextKey },
    deviceAwaitsKey(nextKey),
    ['nextKey', 'rotationAskedAt'],
  );
  return promoted || (await hasKey(table, id, nextKey));
}

async function hasKey(table: DynamoTable, id: string, publicKey: string): Promise<boolean> {
  const record = await readDeviceRecord(table, id);
  return record?.publicKey === publicKey && record.revokedAt === undefined;
}
