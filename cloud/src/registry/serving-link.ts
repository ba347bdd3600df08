import type { LinkRecord } from './registry.ts';

/** Whether the agent has said hello on this link: until then it takes no pulls (PROTOCOL.md, "States of a link"). */
export function isGreeted({ agent }: LinkRecord): boolean {
  return agent !== '';
}

/**
 * The connection that takes an instance's pulls by this record: the link's own; before its hello, also where it ended
 * without one, that of the link which it would have replaced. Undefined: none. Says nothing of expiry.
 */
export function servingConnection(link: LinkRecord): string | undefined {
  if (!isGreeted(link)) return link.replaces;
  return link.closedAt === undefined ? link.connectionId : undefined;
}

/** The order in which an instance's links came, as the registry's fence has it. */
export function isNewer(
  a: Pick<LinkRecord, 'connectedAt' | 'connectionId'>,
  b: Pick<LinkRecord, 'connectedAt' | 'connectionId'>,
): boolean {
  if (a.connectedAt !== b.connectedAt) return a.connectedAt > b.connectedAt;
  return a.connectionId > b.connectionId;
}
