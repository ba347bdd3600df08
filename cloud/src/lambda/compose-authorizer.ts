import type { Clock } from '@pullwire/shared';
import type { Logger } from 'pino';
import { AgentAuth } from '../auth/agent-auth.ts';
import type { Registry } from '../registry/registry.ts';
import { createAuthorizer } from './authorizer.ts';

export interface AuthorizerComposition {
  readonly registry: Pick<Registry, 'deviceRecord'>;
  readonly channelKey: Uint8Array;
  readonly audience: string;
  readonly tokenInQuery: boolean;
  readonly clock: Clock;
  readonly log: Logger;
}

export function composeAuthorizer({ registry, log, ...parts }: AuthorizerComposition) {
  return createAuthorizer({
    ...parts,
    agents: new AgentAuth({ registry, clock: parts.clock }),
    refused: (detail, err) =>
      log.warn({ code: 'link-unauthenticated', detail, err }, 'link refused'),
  });
}
