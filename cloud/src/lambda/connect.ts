import { PullFault, type Subprotocol, subprotocols } from '@pullwire/shared';
import type { AgentAdmission } from '../auth/agent-admission.ts';
import type { Registry } from '../registry/registry.ts';
import { type GatewayConnection, openGatewayLink } from '../session/gateway-link.ts';
import { agentOf } from './agent-context.ts';
import { ownerOf } from './connection-owner.ts';
import type { ConnectEvent, RouteResult } from './event.ts';

export interface ConnectParts {
  readonly registry: Pick<Registry, 'link' | 'replaceLink'>;
  readonly admission: Pick<AgentAdmission, 'admit'>;
  opened(link: GatewayConnection): void;
  refused(link: GatewayConnection, why: string): void;
}

/** A gateway carries text frames only. */
const spoken: Subprotocol = 'pullwire.v1+json';

/**
 * `$connect`: the token is spent, and the link written, before the handshake is answered, so that whatever comes finds
 * it. An agent that may not link is answered with the fault's status.
 */
export function createConnect({ registry, admission, opened, refused }: ConnectParts) {
  return async (event: ConnectEvent): Promise<RouteResult> => {
    const owner = ownerOf(event.requestContext);
    if (owner.role === 'channel') return { statusCode: 200 };
    const { link } = owner;
    const offered = offeredBy(event);
    if (offered !== undefined && !offered.includes(spoken)) {
      refused(link, `of the subprotocols offered none is ${spoken}: ${offered.join(', ')}`);
      return { statusCode: 426, headers: { 'Sec-WebSocket-Protocol': subprotocols.join(', ') } };
    }
    try {
      const admitted = admission.admit(agentOf(event.requestContext.authorizer ?? {}));
      const opening = openGatewayLink(registry, { ...link, subprotocol: spoken }, admitted);
      if ((await opening) === 'older') {
        refused(link, 'a newer link of this instance is open');
        return { statusCode: 503, headers: { 'Retry-After': '5' } };
      }
    } catch (error) {
      if (!(error instanceof PullFault)) throw error;
      refused(link, error.message);
      return { statusCode: error.status };
    }
    opened(link);
    return offered === undefined
      ? { statusCode: 200 }
      : { statusCode: 200, headers: { 'Sec-WebSocket-Protocol': spoken } };
  };
}

/** Undefined where the client offered none: then it speaks JSON. */
function offeredBy({ headers }: ConnectEvent): string[] | undefined {
  const value = Object.entries(headers ?? {}).find(
    ([name]) => name.toLowerCase() === 'sec-websocket-protocol',
  )?.[1];
  return value?.split(',').map((name) => name.trim());
}
