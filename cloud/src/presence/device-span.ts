import type { Device, LinkRecord } from '../registry/registry.ts';
import { endOf, type LiveProofOf, type PresenceClock } from './presence.ts';

/** How it stands with a device, and since when without a break, as far as its links tell. */
export interface DeviceSpan {
  readonly presence: 'connected' | 'offline';
  /** Epoch milliseconds. */
  readonly since: number;
  readonly why?: string;
  /** Of the link that it began with. */
  readonly instance: string;
}

interface LinkSpan {
  readonly from: number;
  /** Undefined: it goes on. */
  readonly end: { readonly at: number; readonly why: string } | undefined;
  readonly instance: string;
}

/** Undefined where it was never seen. Links that follow one another, or overlap, are one span. */
export function deviceSpan(
  device: Device,
  proofOf: LiveProofOf,
  clock: PresenceClock,
): DeviceSpan | undefined {
  const spans = device.links.map((link) => linkSpan(link, proofOf, clock));
  const last = spans.toSorted((a, b) => endAt(b) - endAt(a))[0];
  if (last === undefined) return undefined;
  const { revokedAt } = device.record;
  const { instance, end } = last;
  if (revokedAt !== undefined) {
    return { presence: 'offline', since: revokedAt, why: 'revoked', instance };
  }
  if (end !== undefined) return { presence: 'offline', since: end.at, why: end.why, instance };
  return connectedSpan(spans);
}

function linkSpan(link: LinkRecord, proofOf: LiveProofOf, clock: PresenceClock): LinkSpan {
  const { instance, connectedAt, upSince = connectedAt } = link;
  const end = proofOf(link) === undefined ? endOf(link, clock) : undefined;
  return { from: upSince, end, instance };
}

function connectedSpan(spans: readonly LinkSpan[]): DeviceSpan {
  let first: LinkSpan | undefined;
  for (const span of spans.toSorted((a, b) => b.from - a.from)) {
    if (first === undefined ? span.end === undefined : endAt(span) >= first.from) first = span;
  }
  // Of links that go on, one that began earlier than those that were looked at is always among the rest.
  const { from, instance } = first as LinkSpan;
  return { presence: 'connected', since: from, instance };
}

function endAt({ end }: LinkSpan): number {
  return end?.at ?? Number.POSITIVE_INFINITY;
}

/** Where an instance changes more often than this within a minute, it flaps; as on one box (`FlapDamper`). */
const mostChanges = 5;
const windowMs = 60_000;
const hourMs = 3_600_000;

/** Changes within a minute before `span` began, where that is still too restless to be told; else 0. */
export function flapping({ links }: Device, span: DeviceSpan, now: number): number {
  if (now - span.since >= windowMs) return 0;
  const offline = span.presence === 'offline';
  const changes = links.map(({ ups = [] }) => {
    const recent = ups.filter((up) => up > span.since - windowMs && up <= span.since).length;
    return offline ? recent * 2 : recent * 2 - 1;
  });
  const most = Math.max(0, ...changes);
  return most > mostChanges ? most : 0;
}

/** How often the device went offline in the last hour, as far as the latest links of its instances tell. */
export function flapsOfLinks({ links }: Device, now: number): number {
  const flaps = links.map(({ ups = [], closedAt }) => {
    const came = ups.filter((up, at) => at > 0 && up > now - hourMs).length;
    return came + (closedAt !== undefined && closedAt > now - hourMs ? 1 : 0);
  });
  return Math.max(0, ...flaps);
}
