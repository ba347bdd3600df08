import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';

export interface TablePlace {
  readonly region: string;
  /** Undefined: AWS's own for the region. */
  readonly endpoint: string | undefined;
  /** Undefined: those that the SDK finds (environment, profile, role). */
  readonly credentials?: DynamoDBClientConfig['credentials'] & object;
}

/** Milliseconds; with three attempts a call ends within about 16 s, whatever the network does. */
const times = { connectionTimeout: 2_000, requestTimeout: 5_000 };

/** A client of AWS's DynamoDB or of another endpoint. */
export function createDynamoClient({ region, endpoint, credentials }: TablePlace): DynamoDBClient {
  return new DynamoDBClient({
    region,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
    maxAttempts: 3,
    requestHandler: { ...times, throwOnRequestTimeout: true },
  });
}

/** Whether a table may be created there: on AWS, Terraform owns it. */
export function mayCreateTable({ endpoint }: TablePlace): boolean {
  if (endpoint === undefined) return false;
  return !/\.amazonaws\.com(\.cn)?$/.test(new URL(endpoint).hostname);
}
