import { type Freshness, isStale } from './freshness.ts';
import type { Miss } from './stored-answer.ts';

/** How asking the device ended. */
export interface Failure {
  readonly status: number;
  /** Of the problem; undefined where the upstream itself answered so. */
  readonly code: string | undefined;
  /** Undefined where nothing went to the device. */
  readonly pullId: string | undefined;
}

/**
 * The relay's member of `Cache-Status` (RFC 9211 §2) with a stored answer. What went no further than the relay is a hit,
 * also where it should have ("because the origin server is not available", §2.1).
 */
export function storedStatus(freshness: Freshness, failure: Failure | undefined): string {
  const ttl = `ttl=${freshness.lifetimeSeconds - freshness.ageSeconds}`;
  if (failure === undefined) return `pullwire; hit; ${ttl}`;
  const { status, code, pullId } = failure;
  const detail = `detail=${code ?? 'upstream'}`;
  if (pullId === undefined) return `pullwire; hit; ${ttl}; ${detail}`;
  const why = isStale(freshness) ? 'stale' : 'request';
  return `pullwire; fwd=${why}; fwd-status=${status}; ${ttl}; ${detail}`;
}

/** The same with an answer of the device, where what is stored would have done but was not there, or not good enough. */
export function forwardedStatus({ reason }: Miss): string {
  return `pullwire; fwd=${reason}`;
}
