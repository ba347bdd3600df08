import type { Clock } from '@pullwire/shared';
import type { Logger } from 'pino';
import { AgentAuth } from '../auth/agent-auth.ts';
import type { Issuers } from '../auth/issuers.ts';
import type { Registry } from '../registry/registry.ts';
import { createAuthorizer } from './authorizer.ts';

export interface AuthorizerComposition {
  readonly registry: Pick<Registry, 'deviceRecord'>;
  readonly channelKey: Uint8Array;
  /** Whose tokens speak for devices besides their own keys. */
  readonly issuers?: Issuers | undefined;
  readonly audience: string;
  readonly tokenInQuery: boolean;
  readonly clock: Clock;
  readonly log: Logger;
}

export function composeAuthorizer({ registry, issuers, log, ...parts }: AuthorizerComposition) {
  return createAuthorizer({
    ...parts,
    agents: new AgentAuth({ registry, issuers, clock: parts.clock }),
    refused: (code, detail, err) => log.warn({ code, detail, err }, 'link refused'),
  });
}
