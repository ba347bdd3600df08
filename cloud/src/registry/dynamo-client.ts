import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';

export interface TablePlace {
  readonly region: string;
  /** Undefined: AWS's own for the region. */
  readonly endpoint: string | undefined;
  /** Undefined: those that the SDK finds (environment, profile, role). */
  readonly credentials?: DynamoDBClientConfig['credentials'] & object;
}

/** Milliseconds that one attempt may take; a call has three. */
export interface DynamoPatience {
  readonly connectionTimeout: number;
  readonly requestTimeout: number;
}

/** A call ends within about 16 s, whatever the network does. */
const usual: DynamoPatience = { connectionTimeout: 2_000, requestTimeout: 5_000 };

/** For callers who wait: a call ends within about 7 s. */
export const shortPatience: DynamoPatience = { connectionTimeout: 1_000, requestTimeout: 2_000 };

/** A client of AWS's DynamoDB or of another endpoint. */
export function createDynamoClient(
  { region, endpoint, credentials }: TablePlace,
  patience = usual,
): DynamoDBClient {
  return new DynamoDBClient({
    region,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
    maxAttempts: 3,
    requestHandler: { ...patience, throwOnRequestTimeout: true },
  });
}

/** Whether a table may be created there: on AWS, Terraform owns it. */
export function mayCreateTable({ endpoint }: TablePlace): boolean {
  if (endpoint === undefined) return false;
  return !/\.amazonaws\.com(\.cn)?$/.test(new URL(endpoint).hostname);
}
