import { systemClock } from '@pullwire/shared';
import type { AwsPlace } from './aws-credentials.ts';
import { type RelayKeys, relayKeys } from './relay-secret.ts';
import { SsmSecret } from './ssm-secret.ts';

/** The relay's keys, from the secret that SSM keeps under this name. Rejects with `SecretError` or `RangeError`. */
export async function readRelayKeys(name: string, place: AwsPlace): Promise<RelayKeys> {
  const secret = new SsmSecret({ name, place, clock: systemClock, random: Math.random });
  return relayKeys(await secret.read());
}
