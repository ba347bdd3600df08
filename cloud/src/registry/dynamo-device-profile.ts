import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { type Item, toItem } from './dynamo-attribute.ts';
import { call, type DynamoTable, write } from './dynamo-call.ts';
import { deviceIsNewOrHasKey, inForce } from './dynamo-condition.ts';
import { readDeviceRecord } from './dynamo-device.ts';
import { setAttributes } from './dynamo-set.ts';
import { itemKeys, listKinds } from './dynamo-table.ts';
import type { DeviceRecord } from './registry.ts';
import { RegistryError } from './registry-error.ts';

export async function addDevice(
  table: DynamoTable,
  record: DeviceRecord,
): Promise<'added' | 'known'> {
  const { ConditionExpression, ExpressionAttributeValues } = deviceIsNewOrHasKey(record.publicKey);
  const update = updateOf(table, record);
  let before: Item | undefined;
  const written = await write(table, async () => {
    const answer = await table.client.send(
      new UpdateItemCommand({
        ...update,
        ConditionExpression,
        ExpressionAttributeValues: {
          ...update.ExpressionAttributeValues,
          ...ExpressionAttributeValues,
        },
      }),
    );
    before = answer.Attributes;
  });
  if (written) return before === undefined ? 'added' : 'known';
  throw await conflict(table, record.device);
}

/** Everything that this and older rotations and revocations left on the profile goes. */
export async function replaceDevice(
  table: DynamoTable,
  record: DeviceRecord,
): Promise<'added' | 'known'> {
  const update = updateOf(table, record);
  const UpdateExpression = `${update.UpdateExpression} REMOVE nextKey, rotationAskedAt, revokedAt, revokedWhy`;
  const { Attributes: before } = await call(table, () =>
    table.client.send(new UpdateItemCommand({ ...update, UpdateExpression })),
  );
  return before === undefined ? 'added' : 'known';
}

/** An update, so that a device that is known keeps its `createdAt`; the old values say whether it was. */
function updateOf(table: DynamoTable, { device, publicKey, labels, createdAt }: DeviceRecord) {
  return {
    TableName: table.name,
    Key: itemKeys.device(device),
    UpdateExpression:
      'SET #kind = :kind, #id = :id, publicKey = :publicKey, #labels = :labels,' +
      ' createdAt = if_not_exists(createdAt, :createdAt)',
    ExpressionAttributeNames: { '#kind': 'kind', '#id': 'id', '#labels': 'labels' },
    ExpressionAttributeValues: toItem({
      ':kind': listKinds.device,
      ':id': device,
      ':publicKey': publicKey,
      ':labels': labels,
      ':createdAt': createdAt,
    }),
    ReturnValues: 'ALL_OLD',
  } as const;
}

async function conflict(table: DynamoTable, device: string): Promise<RegistryError> {
  const known = await readDeviceRecord(table, device);
  const how = known?.revokedAt === undefined ? 'is known with another key' : 'was revoked';
  return new RegistryError(
    'conflict',
    `the device ${device} ${how}: remove it first, or enrol it with a code made with --replace`,
  );
}

export function revokeDevice(
  table: DynamoTable,
  id: string,
  end: { readonly at: number; readonly why: string },
): Promise<boolean> {
  const values = { revokedAt: end.at, revokedWhy: end.why };
  return setAttributes(table, itemKeys.device(id), values, inForce);
}
