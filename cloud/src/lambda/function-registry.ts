import { createDynamoClient } from '../registry/dynamo-client.ts';
import { DynamoRegistry } from '../registry/dynamo-registry.ts';
import { type AwsPlace, sdkCredentials } from './aws-credentials.ts';

/** The registry as a function reaches it, with the credentials of its role. Its table is Terraform's. */
export function functionRegistry(table: string, place: AwsPlace): DynamoRegistry {
  const endpoint = place.endpoint('DYNAMODB');
  const { region } = place;
  const client = createDynamoClient({ region, endpoint, credentials: sdkCredentials(place) });
  return new DynamoRegistry({ client, name: table, mayCreateTable: false });
}
