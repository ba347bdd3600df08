import type { LinkRecord } from '../registry/registry.ts';
import { servingConnection } from '../registry/serving-link.ts';

/** The links that the registry holds for open; `now` in milliseconds. One that was replaced may still be open too. */
export function openLinks(links: readonly LinkRecord[], now: number): LinkRecord[] {
  return links.filter(
    (link) =>
      (link.closedAt === undefined || servingConnection(link) !== undefined) &&
      (link.expiresAt ?? Number.POSITIVE_INFINITY) * 1_000 > now,
  );
}
