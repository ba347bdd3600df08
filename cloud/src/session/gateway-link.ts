import type { Subprotocol } from '@pullwire/shared';
import type { LinkRecord, Registry } from '../registry/registry.ts';
import { RegistryError } from '../registry/registry-error.ts';
import { isNewer, servingConnection } from '../registry/serving-link.ts';
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

/** See `isGreeted`. */
const unsaid = '';
const undescribed = { sources: [], labels: {}, features: [] };

/** Whether a connection of this instance may take pulls, or is about to (`now` in milliseconds). */
export function isOpen(link: LinkRecord, now: number): boolean {
  const { closedAt, expiresAt = 0 } = link;
  return (
    expiresAt * 1_000 > now && (closedAt === undefined || servingConnection(link) !== undefined)
  );
}

/** Times of one instance that are remembered; a minute of flapping is 3 or 4. */
const upsKept = 12;

/** Another link of the instance came or went while this one was about to be written: it is looked at again so often. */
const attempts = 8;

/**
 * Records a link while its handshake is held, before anything can come from it. `older`: a newer link of this
 * instance is there already, or this one has ended. `admitted` is waited for before anything is written, and rejects
 * where the agent may not link. Throws what it throws, or `RegistryError`.
 */
export async function openGatewayLink(
  registry: Pick<Registry, 'link' | 'replaceLink'>,
  opened: OpenedLink,
  admitted: Promise<unknown>,
): Promise<'opened' | 'older'> {
  const { device, instance } = opened.identity;
  let [before] = await Promise.all([registry.link(device, instance), admitted]);
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    if (before?.connectionId === opened.connectionId) {
      // A handshake that was repeated below us finds itself.
      return before.closedAt === undefined ? 'opened' : 'older';
    }
    if (before !== undefined && isNewer(before, opened)) return 'older';
    if (await registry.replaceLink(before, newLink(opened, before))) return 'opened';
    before = await registry.link(device, instance);
  }
  throw new RegistryError('unavailable', 'the links of this instance come and go too fast');
}

function newLink(opened: OpenedLink, before: LinkRecord | undefined): LinkRecord {
  const { connectionId, connectedAt, subprotocol, identity } = opened;
  const replaced = replacedBy(before);
  // Until its own hello the link that it replaces goes on.
  const { sources, labels, features } =
    before === undefined || replaced === undefined ? undescribed : before;
  return {
    device: identity.device,
    instance: identity.instance,
    connectionId,
    connectedAt,
    subprotocol,
    agent: unsaid,
    sources,
    labels,
    features,
    expiresAt: Math.ceil((connectedAt + connectionLifeMs) / 1_000),
    ...replaced,
    ...presenceAfter(before, connectedAt),
  };
}

/** A link that follows an open one is no change of presence; any other is one, and how many there were is remembered. */
function presenceAfter(
  before: LinkRecord | undefined,
  connectedAt: number,
): Pick<LinkRecord, 'upSince' | 'ups'> {
  if (before !== undefined && isOpen(before, connectedAt)) {
    const upSince = before.upSince ?? before.connectedAt;
    return { upSince, ups: before.ups ?? [upSince] };
  }
  return { ups: [...(before?.ups ?? []), connectedAt].slice(-upsKept) };
}

type Replaced = Pick<LinkRecord, 'replaces' | 'replacesRun'>;

/** Whatever takes the pulls now. One that drains finishes those that it has, and is told nothing. */
function replacedBy(link: LinkRecord | undefined): Replaced | undefined {
  if (link === undefined) return undefined;
  const replaces = servingConnection(link);
  const isOwn = replaces === link.connectionId;
  const drains = link.drainingAt !== undefined && isOwn;
  if (replaces === undefined || drains) return undefined;
  const run = isOwn ? link.run : link.replacesRun;
  return { replaces, ...(run !== undefined && { replacesRun: run }) };
}

/** Writes a link's last word. One that comes late, twice or out of order changes nothing. Throws `RegistryError`. */
export async function closeGatewayLink(
  registry: Pick<Registry, 'closeLink'>,
  { connectionId, identity }: Pick<GatewayConnection, 'connectionId' | 'identity'>,
  end: { readonly at: number; readonly why: string },
): Promise<boolean> {
  return registry.closeLink(identity.device, identity.instance, connectionId, end);
}
