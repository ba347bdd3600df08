import type { Registry } from '../registry/registry.ts';
import { closeGatewayLink, type GatewayConnection } from '../session/gateway-link.ts';
import { ownerOf } from './connection-owner.ts';
import type { DisconnectEvent, RouteResult } from './event.ts';

export interface DisconnectParts {
  readonly registry: Pick<Registry, 'closeLink'>;
  closed(link: GatewayConnection, why: string): void;
}

/** `$disconnect`: best effort, after the fact, perhaps late or twice. */
export function createDisconnect({ registry, closed }: DisconnectParts) {
  return async ({ requestContext }: DisconnectEvent): Promise<RouteResult> => {
    const owner = ownerOf(requestContext);
    if (owner.role === 'channel') return { statusCode: 200 };
    const why = whyOf(requestContext.disconnectStatusCode);
    const end = { at: requestContext.requestTimeEpoch, why };
    if (await closeGatewayLink(registry, owner.link, end)) closed(owner.link, why);
    return { statusCode: 200 };
  };
}

/** In the words that the one-box server has for the same ends. */
function whyOf(code: number | undefined): string {
  return code === undefined || code === 1006 ? 'link-lost' : `closed-${code}`;
}
