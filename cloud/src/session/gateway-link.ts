import type { Subprotocol } from '@pullwire/shared';
import type { LinkRecord, Registry } from '../registry/registry.ts';
import type { LinkIdentity } from './link-session.ts';

/** A gateway ends every connection after 2 hours (AWS.md, "Limits of a WebSocket API"). */
export const connectionLifeMs = 2 * 3_600_000;

/** A socket that a gateway holds, with who dialled it by the authorizer's word. */
export interface GatewayConnection {
  readonly connectionId: string;
  /** Epoch milliseconds, by the gateway. */
  readonly connectedAt: number;
  readonly identity: LinkIdentity;
  /** The key with which the link was opened; undefined where an issuer's token did. */
  readonly publicKey?: string;
  /** The operator had asked for another key when it was opened. */
  readonly rotationAsked?: boolean;
}

export interface OpenedLink extends GatewayConnection {
  readonly subprotocol: Subprotocol;
}

/** What the registry has as the `agent` of a link that has not said hello yet. */
const unsaid = '';
const undescribed = { sources: [], labels: {}, features: [] };

/** Whether the agent has said hello on this link: until then it takes no pulls (PROTOCOL.md, "States of a link"). */
export function isGreeted({ agent }: LinkRecord): boolean {
  return agent !== unsaid;
}

/** Whether it may still be there (`now` in milliseconds): nothing is said of its agent. */
export function isOpen({ closedAt, expiresAt = 0 }: LinkRecord, now: number): boolean {
  return closedAt === undefined && expiresAt * 1_000 > now;
}

/**
 * Records a link while its handshake is held, before anything can come from it. `older`: a newer link of this
 * instance is there already. `admitted` is waited for before anything is written, and rejects where the agent may not
 * link. Throws what it throws, or `RegistryError`.
 */
export async function openGatewayLink(
  registry: Pick<Registry, 'link' | 'openLink'>,
  opened: OpenedLink,
  admitted: Promise<unknown>,
): Promise<'opened' | 'older'> {
  const { connectionId, connectedAt, subprotocol } = opened;
  const { device, instance } = opened.identity;
  const [before] = await Promise.all([registry.link(device, instance), admitted]);
  const replaces = openConnectionOf(before, connectionId);
  // Until its own hello the link that it replaces goes on.
  const { sources, labels, features } =
    before === undefined || replaces === undefined ? undescribed : before;
  return registry.openLink({
    device,
    instance,
    connectionId,
    connectedAt,
    subprotocol,
    agent: unsaid,
    sources,
    labels,
    features,
    expiresAt: Math.ceil((connectedAt + connectionLifeMs) / 1_000),
    ...(replaces === undefined ? undefined : { replaces }),
  });
}

function openConnectionOf(link: LinkRecord | undefined, connectionId: string): string | undefined {
  if (link === undefined || link.closedAt !== undefined) return undefined;
  // A handshake that was repeated below us finds itself.
  return link.connectionId === connectionId ? link.replaces : link.connectionId;
}

/** Writes a link's last word. One that comes late, twice or out of order changes nothing. Throws `RegistryError`. */
export async function closeGatewayLink(
  registry: Pick<Registry, 'closeLink'>,
  { connectionId, identity }: Pick<GatewayConnection, 'connectionId' | 'identity'>,
  end: { readonly at: number; readonly why: string },
): Promise<boolean> {
  return registry.closeLink(identity.device, identity.instance, connectionId, end);
}
