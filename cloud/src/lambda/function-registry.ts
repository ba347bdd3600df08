import { createDynamoClient } from '../registry/dynamo-client.ts';
import { DynamoRegistry } from '../registry/dynamo-registry.ts';

/** The registry as a function reaches it, with the credentials of its role. Its table is Terraform's. */
export function functionRegistry(table: string, region: string): DynamoRegistry {
  const client = createDynamoClient({ region, endpoint: undefined });
  return new DynamoRegistry({ client, name: table, mayCreateTable: false });
}
