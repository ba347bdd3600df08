import { DynamoQueueStore } from '../queue/dynamo-queue-store.ts';
import type { DynamoTable } from '../registry/dynamo-call.ts';
import { createDynamoClient } from '../registry/dynamo-client.ts';
import { DynamoRegistry } from '../registry/dynamo-registry.ts';
import { type AwsPlace, sdkCredentials } from './aws-credentials.ts';

/** The table as a function reaches it, with the credentials of its role. */
export function functionTable(name: string, place: AwsPlace): DynamoTable {
  const endpoint = place.endpoint('DYNAMODB');
  const { region } = place;
  const client = createDynamoClient({ region, endpoint, credentials: sdkCredentials(place) });
  return { client, name };
}

/** The registry in it, which is Terraform's. */
export function functionRegistry(table: DynamoTable): DynamoRegistry {
  return new DynamoRegistry({ ...table, mayCreateTable: false });
}

/** Queued pulls in it. */
export function functionQueueStore(table: DynamoTable): DynamoQueueStore {
  return new DynamoQueueStore(table);
}
