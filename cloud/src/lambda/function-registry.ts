import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoQueueStore } from '../queue/dynamo-queue-store.ts';
import { createDynamoClient } from '../registry/dynamo-client.ts';
import { DynamoRegistry } from '../registry/dynamo-registry.ts';
import { type AwsPlace, sdkCredentials } from './aws-credentials.ts';

/** The registry as a function reaches it, with the credentials of its role. Its table is Terraform's. */
export function functionRegistry(table: string, place: AwsPlace): DynamoRegistry {
  return new DynamoRegistry({ client: clientOf(place), name: table, mayCreateTable: false });
}

/** Queued pulls in the same table. */
export function functionQueueStore(table: string, place: AwsPlace): DynamoQueueStore {
  return new DynamoQueueStore({ client: clientOf(place), name: table });
}

function clientOf(place: AwsPlace): DynamoDBClient {
  const endpoint = place.endpoint('DYNAMODB');
  const { region } = place;
  return createDynamoClient({ region, endpoint, credentials: sdkCredentials(place) });
}
