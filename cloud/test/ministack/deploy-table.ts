import {
  CreateTableCommand,
  DynamoDBClient,
  type KeySchemaElement,
  UpdateTimeToLiveCommand,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import type { RelayManifest } from '../relay-manifest.ts';
import type { Ministack } from './ministack.ts';

/** Resolves with the table's name when it can be used. */
export async function deployTable(
  ministack: Ministack,
  name: string,
  table: RelayManifest['table'],
): Promise<string> {
  const { partitionKey, sortKey, listIndex, expiryAttribute } = table;
  const attributes = [partitionKey, sortKey, listIndex.partitionKey, listIndex.sortKey];
  const client = new DynamoDBClient(ministack.client);
  try {
    await client.send(
      new CreateTableCommand({
        TableName: name,
        BillingMode: oneOf(['PAY_PER_REQUEST', 'PROVISIONED'], table.billingMode),
        AttributeDefinitions: attributes.map((AttributeName) => ({
          AttributeName,
          AttributeType: 'S',
        })),
        KeySchema: keySchema(partitionKey, sortKey),
        GlobalSecondaryIndexes: [
          {
            IndexName: listIndex.name,
            KeySchema: keySchema(listIndex.partitionKey, listIndex.sortKey),
            Projection: {
              ProjectionType: oneOf(['KEYS_ONLY', 'ALL', 'INCLUDE'], listIndex.projection),
            },
          },
        ],
      }),
    );
    await waitUntilTableExists({ client, maxWaitTime: 10, minDelay: 0.05 }, { TableName: name });
    await client.send(
      new UpdateTimeToLiveCommand({
        TableName: name,
        TimeToLiveSpecification: { AttributeName: expiryAttribute, Enabled: true },
      }),
    );
    return name;
  } finally {
    client.destroy();
  }
}

function keySchema(partition: string, sort: string): KeySchemaElement[] {
  return [
    { AttributeName: partition, KeyType: 'HASH' },
    { AttributeName: sort, KeyType: 'RANGE' },
  ];
}

function oneOf<const Known extends string>(known: readonly Known[], value: string): Known {
  const found = known.find((each) => each === value);
  if (found === undefined) throw new Error(`relay.json: "${value}" is none of ${known.join(', ')}`);
  return found;
}
