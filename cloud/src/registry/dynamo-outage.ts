import {
  type DynamoDBClient,
  DynamoDBServiceException,
  ListTablesCommand,
} from '@aws-sdk/client-dynamodb';
import { RegistryError } from './registry-error.ts';
import type { RegistryOutage } from './registry-outage.ts';

/** Tells `outage` of calls that got no answer, and spares those that would get none. */
export function watchOutage(
  client: DynamoDBClient,
  outage: Pick<RegistryOutage, 'check' | 'noAnswer'>,
): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      outage.check();
      try {
        return await next(args);
      } catch (error) {
        if (isNoAnswer(error)) outage.noAnswer(error);
        throw error;
      }
    },
    { step: 'initialize', name: 'pullwireOutage' },
  );
}

/** Resolves where whatever listens there answers, be it with a refusal. `client` is not watched. */
export async function probeDynamo(client: DynamoDBClient): Promise<void> {
  try {
    await client.send(new ListTablesCommand({ Limit: 1 }));
  } catch (error) {
    if (isNoAnswer(error)) throw error;
  }
}

/** The network's errors and time-outs; what the service or its credentials say is an answer. */
function isNoAnswer(error: unknown): error is Error {
  if (!(error instanceof Error) || error instanceof RegistryError) return false;
  return !(error instanceof DynamoDBServiceException) && error.name !== 'CredentialsProviderError';
}
