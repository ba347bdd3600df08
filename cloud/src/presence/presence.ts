import { revokedWhy } from '../pull/pull-target-fault.ts';
import type { Device, LinkRecord } from '../registry/registry.ts';

/** What the host that holds the links knows of one that is live now. */
export interface LiveProof {
  /** Epoch milliseconds of the last frame or pong. */
  readonly lastProofAt: number;
  /** A proof is overdue after this (epoch milliseconds). */
  readonly proofDueAt: number;
}

/** Tells of a link in the registry whether it is live here. */
export type LiveProofOf = (link: LinkRecord) => LiveProof | undefined;

export type PresenceState = 'connected' | 'stale' | 'offline' | 'never-seen';

export interface LinkPresence {
  readonly instance: string;
  readonly state: PresenceState;
  readonly connectedAt: string;
  readonly lastProofAt?: string;
  readonly closedAt?: string;
  readonly closedWhy?: string;
  readonly agent: string;
  readonly subprotocol: string;
  readonly sources: LinkRecord['sources'];
  readonly agentLabels: LinkRecord['labels'];
}

/** A device as `GET /devices` shows it; times are ISO 8601 in UTC. */
export interface DevicePresence {
  readonly device: string;
  readonly presence: PresenceState;
  /** Since when it is so; absent where it was never seen. */
  readonly since?: string;
  /** Why it is offline. */
  readonly why?: string;
  readonly lastProofAt?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly createdAt: string;
  readonly links: readonly LinkPresence[];
}

const rank: Record<PresenceState, number> = {
  connected: 3,
  stale: 2,
  offline: 1,
  'never-seen': 0,
};

/** `lostSince`: when this host began; a link that is neither live here nor closed was lost by then at the latest. */
export interface PresenceClock {
  readonly now: number;
  readonly lostSince: number;
}

/** Derives presence from link items when read (DESIGN.md 7): nothing is stored that could be out of date. */
export function presenceOf(
  device: Device,
  proofOf: LiveProofOf,
  clock: PresenceClock,
): DevicePresence {
  const links = device.links.map((link) => linkPresence(link, proofOf(link), clock));
  links.sort((a, b) => rank[b.state] - rank[a.state] || compareEnd(b, a));
  const best = links[0];
  const base = {
    device: device.record.device,
    labels: device.record.labels,
    createdAt: iso(device.record.createdAt),
    links,
  };
  const proof = best?.lastProofAt === undefined ? undefined : { lastProofAt: best.lastProofAt };
  const { revokedAt } = device.record;
  if (revokedAt !== undefined) {
    // A link that is still there is about to be ended, and takes no pulls any more.
    return { ...base, presence: 'offline', since: iso(revokedAt), why: revokedWhy, ...proof };
  }
  if (best === undefined) return { ...base, presence: 'never-seen' };
  return {
    ...base,
    presence: best.state,
    since: best.state === 'offline' ? (best.closedAt ?? best.connectedAt) : best.connectedAt,
    ...(best.closedWhy === undefined ? undefined : { why: best.closedWhy }),
    ...proof,
  };
}

function linkPresence(
  link: LinkRecord,
  proof: LiveProof | undefined,
  clock: PresenceClock,
): LinkPresence {
  const base = {
    instance: link.instance,
    connectedAt: iso(link.connectedAt),
    agent: link.agent,
    subprotocol: link.subprotocol,
    sources: link.sources,
    agentLabels: link.labels,
  };
  if (proof !== undefined) {
    const state = clock.now > proof.proofDueAt ? 'stale' : 'connected';
    return { ...base, state, lastProofAt: iso(proof.lastProofAt) };
  }
  const { at, why } = endOf(link, clock);
  return { ...base, state: 'offline', closedAt: iso(at), closedWhy: why };
}

/** A link's last word, or what must have been the case where nobody said one. */
function endOf(link: LinkRecord, clock: PresenceClock): { at: number; why: string } {
  if (link.closedAt !== undefined) return { at: link.closedAt, why: link.closedWhy ?? 'link-lost' };
  const expiredAt = (link.expiresAt ?? Number.POSITIVE_INFINITY) * 1_000;
  if (expiredAt <= clock.now) return { at: expiredAt, why: 'end-of-life' };
  return { at: Math.max(link.connectedAt, clock.lostSince), why: 'relay-restarted' };
}

function compareEnd(a: LinkPresence, b: LinkPresence): number {
  return (a.closedAt ?? a.connectedAt).localeCompare(b.closedAt ?? b.connectedAt);
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
