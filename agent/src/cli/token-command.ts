import { randomUUID } from 'node:crypto';
import { systemClock } from '@pullwire/shared';
import type { AgentConfig } from '../config/agent-config.ts';
import { readDeviceKey } from '../identity/device-key.ts';
import { signHandshakeToken } from '../identity/handshake-token.ts';
import type { CliHost } from './cli-host.ts';

/** A person has to paste it somewhere: the longest that a relay takes. */
const ttlSeconds = 300;

/** Prints a token for one handshake; it is a secret for as long as it lives. */
export async function token(config: AgentConfig, host: CliHost): Promise<void> {
  const { keyFile, device, instance, audience } = config;
  const key = await readDeviceKey(keyFile);
  const jti = randomUUID();
  const now = systemClock.wall();
  const claims = { device, instance, audience, jti, now, ttlSeconds };
  host.writeOut(`${await signHandshakeToken(key, claims)}\n`);
}
