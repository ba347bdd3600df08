import { describe, expect, test } from 'vitest';
import type { Device, LinkRecord } from '../registry/registry.ts';
import type { ProbeResult } from './link-probes.ts';
import { type LiveProof, presenceOf } from './presence.ts';

const record = { device: 'plant-7', publicKey: 'ed25519:x', labels: { site: 'b' }, createdAt: 0 };
const clock = { now: 10_000, lostSince: 5_000 };

function link(fields: Partial<LinkRecord> = {}): LinkRecord {
  return {
    device: 'plant-7',
    instance: 'main',
    connectionId: 'c1',
    connectedAt: 1_000,
    subprotocol: 'pullwire.v1+bin',
    agent: 'a/1',
    sources: [],
    labels: {},
    features: [],
    ...fields,
  };
}

const device = (...links: LinkRecord[]): Device => ({ record, links });
const at = (ms: number): string => new Date(ms).toISOString();
const none = (): LiveProof | undefined => undefined;
const live = (due: number) => (): LiveProof => ({ lastProofAt: 9_000, proofDueAt: due });

describe('presence', () => {
  test('a device without a link was never seen', () => {
    const seen = presenceOf(device(), none, clock);
    expect(seen).toMatchObject({ presence: 'never-seen', links: [] });
    expect(seen.since).toBeUndefined();
  });

  test('a live link is connected, with the time of its last proof', () => {
    expect(presenceOf(device(link()), live(20_000), clock)).toMatchObject({
      presence: 'connected',
      since: at(1_000),
      lastProofAt: at(9_000),
    });
  });

  test('a live link whose proof is overdue is stale', () => {
    expect(presenceOf(device(link()), live(9_999), clock)).toMatchObject({ presence: 'stale' });
  });

  test('a closed link is offline, since when and why', () => {
    const closed = link({ closedAt: 7_000, closedWhy: 'idle' });
    expect(presenceOf(device(closed), none, clock)).toMatchObject({
      presence: 'offline',
      since: at(7_000),
      why: 'idle',
    });
  });

  test('a link without a last word that is not live here ended when the relay did, at the latest', () => {
    expect(presenceOf(device(link()), none, clock)).toMatchObject({
      presence: 'offline',
      since: at(5_000),
      why: 'relay-restarted',
    });
  });

  test('a link without a last word that has expired ended when a gateway ends every connection', () => {
    expect(presenceOf(device(link({ expiresAt: 8 })), none, clock)).toMatchObject({
      presence: 'offline',
      since: at(8_000),
      why: 'end-of-life',
    });
  });

  test('of several instances the one that is best off speaks for the device', () => {
    const closed = link({ instance: 'a', connectionId: 'c0', closedAt: 9_000, closedWhy: 'idle' });
    const proofOf = (of: LinkRecord): LiveProof | undefined =>
      of.connectionId === 'c1' ? live(20_000)() : undefined;
    const seen = presenceOf(device(closed, link({ instance: 'b' })), proofOf, clock);
    expect(seen.presence).toBe('connected');
    expect(seen.links.map((one) => one.state)).toEqual(['connected', 'offline']);
  });

  test('of several that are off, the last one’s end counts', () => {
    const first = link({ instance: 'a', closedAt: 2_000, closedWhy: 'idle' });
    const last = link({ instance: 'b', closedAt: 6_000, closedWhy: 'drained' });
    expect(presenceOf(device(first, last), none, clock)).toMatchObject({
      since: at(6_000),
      why: 'drained',
    });
  });

  test.each([
    ['with a live link', [link()], live(20_000)],
    ['without any', [], none],
  ])('a revoked device is offline since then, %s', (_, links, proofOf) => {
    const revoked = { record: { ...record, revokedAt: 8_000, revokedWhy: 'stolen' }, links };
    const seen = presenceOf(revoked, proofOf, clock);
    expect(seen).toMatchObject({ presence: 'offline', since: at(8_000), why: 'revoked' });
    expect(JSON.stringify(seen)).not.toContain('stolen');
  });

  test('a probe says more than the clock: answered, not answered, or not asked', () => {
    const probed = (probe: ProbeResult, due = 20_000) =>
      presenceOf(device(link()), live(due), clock, new Map([['c1', probe]]));
    expect(probed({ answered: true, rttMs: 3.5, at: 9_990 }, 9_999)).toMatchObject({
      presence: 'connected',
      lastProofAt: at(9_990),
      links: [{ probe: { answered: true, rttMs: 3.5 } }],
    });
    expect(probed({ answered: false, why: 'no-answer' }).presence).toBe('stale');
    expect(probed({ answered: false, why: 'unsupported' })).toMatchObject({
      presence: 'connected',
      lastProofAt: at(9_000),
      links: [{ probe: { answered: false, why: 'unsupported' } }],
    });
  });
});
