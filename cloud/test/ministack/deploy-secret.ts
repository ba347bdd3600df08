import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import type { Ministack } from './ministack.ts';

/** Resolves with the parameter's name. */
export async function deploySecret(
  ministack: Ministack,
  Name: string,
  Value: string,
): Promise<string> {
  const client = new SSMClient(ministack.client);
  try {
    await client.send(new PutParameterCommand({ Name, Value, Type: 'SecureString' }));
    return Name;
  } finally {
    client.destroy();
  }
}
