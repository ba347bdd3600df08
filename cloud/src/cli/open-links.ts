import type { LinkRecord } from '../registry/registry.ts';

/** The links that the registry holds for open; `now` in milliseconds. One that was replaced may still be open too. */
export function openLinks(links: readonly LinkRecord[], now: number): LinkRecord[] {
  return links.filter(
    ({ closedAt, expiresAt }) =>
      closedAt === undefined && (expiresAt ?? Number.POSITIVE_INFINITY) * 1_000 > now,
  );
}
