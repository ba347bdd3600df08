import type { Subprotocol } from '@pullwire/shared';
import type { EnrolCodeRecord, KeyRecord, LinkDescription, LinkRecord } from './registry.ts';

// Records for tests.

export const profile = {
  device: 'plant-7',
  publicKey: 'ed25519:AAAA',
  labels: { site: 'north' },
  createdAt: 1_000,
};

export const hello: LinkDescription = {
  agent: 'pullwire-agent/0.1.0',
  sources: [{ name: 'metrics', kind: 'http', methods: ['GET', 'HEAD'] }],
  labels: { os: 'linux', quote: '"#é' },
  features: ['resend'],
};

export const bare: LinkDescription = { agent: '', sources: [], labels: {}, features: [] };

export const link = (changes: Partial<LinkRecord> = {}): LinkRecord => ({
  device: 'plant-7',
  instance: 'main',
  connectionId: 'c-1',
  connectedAt: 5_000,
  subprotocol: 'pullwire.v1+bin' satisfies Subprotocol,
  ...bare,
  ...changes,
});

export const key = (changes: Partial<KeyRecord> = {}): KeyRecord => ({
  id: 'abc123',
  name: 'ops',
  hash: 'hash-of-abc123',
  prefix: 'pwk_abc123',
  grants: [{ devices: ['plant-*'], labels: { site: 'north' }, sources: ['*'], methods: ['GET'] }],
  createdAt: 1_000,
  ...changes,
});

export const enrolCode = (changes: Partial<EnrolCodeRecord> = {}): EnrolCodeRecord => ({
  id: 'code01',
  hash: 'hash-of-code01',
  labels: { site: 'north' },
  createdAt: 1_000,
  expiresAt: 2_000_000_000,
  ...changes,
});
