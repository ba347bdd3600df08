import { type Subprotocol, subprotocols } from '@pullwire/shared';
import type { Registry } from '../registry/registry.ts';
import { type GatewayConnection, openGatewayLink } from '../session/gateway-link.ts';
import { ownerOf } from './connection-owner.ts';
import type { ConnectEvent, RouteResult } from './event.ts';

export interface ConnectParts {
  readonly registry: Pick<Registry, 'link' | 'openLink'>;
  opened(link: GatewayConnection): void;
  refused(link: GatewayConnection, why: string): void;
}

/** A gateway carries text frames only. */
const spoken: Subprotocol = 'pullwire.v1+json';

/** `$connect`: the link is written before the handshake is answered, so that whatever comes finds it. */
export function createConnect({ registry, opened, refused }: ConnectParts) {
  return async (event: ConnectEvent): Promise<RouteResult> => {
    const owner = ownerOf(event.requestContext);
    if (owner.role === 'channel') return { statusCode: 200 };
    const { link } = owner;
    const offered = offeredBy(event);
    if (offered !== undefined && !offered.includes(spoken)) {
      refused(link, `of the subprotocols offered none is ${spoken}: ${offered.join(', ')}`);
      return { statusCode: 426, headers: { 'Sec-WebSocket-Protocol': subprotocols.join(', ') } };
    }
    if ((await openGatewayLink(registry, { ...link, subprotocol: spoken })) === 'older') {
      refused(link, 'a newer link of this instance is open');
      return { statusCode: 503, headers: { 'Retry-After': '5' } };
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
