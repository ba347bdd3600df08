import { revokedWhy } from '../pull/pull-target-fault.ts';
import type { Device, LinkRecord } from '../registry/registry.ts';
import type { ProbeResult, Unproven } from './link-probes.ts';

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
  /** What asking the link just now brought; absent where nobody asked. */
  readonly probe?: ShownProbe;
}

type ShownProbe =
  | { readonly answered: true; readonly rttMs: number }
  | { readonly answered: false; readonly why: Unproven };

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
  /** How often it went offline in the last hour, as far as the host knows. */
  readonly flaps?: number;
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

/** Why a link is over that nobody wrote the end of: its relay ended before. */
export const restartedWhy = 'relay-restarted';

/** Derives presence from link items when read (DESIGN.md 7): nothing is stored that could be out of date. */
export function presenceOf(
  device: Device,
  proofOf: LiveProofOf,
  clock: PresenceClock,
  probes: ReadonlyMap<string, ProbeResult> = new Map(),
): DevicePresence {
  const links = device.links.map((link) =>
    linkPresence(link, proofOf(link), clock, probes.get(link.connectionId)),
  );
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
    since:
      best.state === 'offline' ? (best.closedAt ?? best.connectedAt) : upSince(device, best, clock),
    ...(best.closedWhy === undefined ? undefined : { why: best.closedWhy }),
    ...proof,
  };
}

function linkPresence(
  link: LinkRecord,
  proof: LiveProof | undefined,
  clock: PresenceClock,
  probe: ProbeResult | undefined,
): LinkPresence {
  const base = {
    instance: link.instance,
    connectedAt: notAfter(link.connectedAt, clock),
    agent: link.agent,
    subprotocol: link.subprotocol,
    sources: link.sources,
    agentLabels: link.labels,
    ...(probe === undefined ? undefined : { probe: shownProbe(probe) }),
  };
  if (proof !== undefined) {
    const lastProofAt = Math.max(proof.lastProofAt, probe?.answered === true ? probe.at : 0);
    return {
      ...base,
      state: liveState(proof, clock, probe),
      lastProofAt: notAfter(lastProofAt, clock),
    };
  }
  const { at, why } = endOf(link, clock);
  return { ...base, state: 'offline', closedAt: notAfter(at, clock), closedWhy: why };
}

/** Asked just now, an answer says more than any clock. */
function liveState(
  proof: LiveProof,
  clock: PresenceClock,
  probe: ProbeResult | undefined,
): PresenceState {
  if (probe?.answered === true) return 'connected';
  if (probe?.why === 'no-answer') return 'stale';
  return clock.now > proof.proofDueAt ? 'stale' : 'connected';
}

function shownProbe(probe: ProbeResult): ShownProbe {
  return probe.answered ? { answered: true, rttMs: probe.rttMs } : probe;
}

/** A link's last word, or what must have been the case where nobody said one. */
export function endOf(link: LinkRecord, clock: PresenceClock): { at: number; why: string } {
  if (link.closedAt !== undefined) return { at: link.closedAt, why: link.closedWhy ?? 'link-lost' };
  const expiredAt = (link.expiresAt ?? Number.POSITIVE_INFINITY) * 1_000;
  if (expiredAt <= clock.now) return { at: expiredAt, why: 'end-of-life' };
  return { at: Math.max(link.connectedAt, clock.lostSince), why: restartedWhy };
}

/** A link that took the place of another one was no change. */
function upSince(
  { links }: Device,
  { instance, connectedAt }: LinkPresence,
  clock: PresenceClock,
): string {
  const since = links.find((link) => link.instance === instance)?.upSince;
  return since === undefined ? connectedAt : notAfter(since, clock);
}

function compareEnd(a: LinkPresence, b: LinkPresence): number {
  return (a.closedAt ?? a.connectedAt).localeCompare(b.closedAt ?? b.connectedAt);
}

/** What was noted before the clock was set back, or by another clock, is no prophecy. */
function notAfter(at: number, { now }: PresenceClock): string {
  return iso(Math.min(at, now));
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
