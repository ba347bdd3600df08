import { type Freshness, isStale } from './freshness.ts';
import type { StoredWish } from './stored-wish.ts';

/** Whether the device was asked before. */
export type Occasion = 'first' | 'after-error';

/**
 * Why the caller does not take it: its own limits (`request`), or it is too long stale for what the caller said and the
 * upstream allows (`stale`). Both are also what `Cache-Status` calls them (RFC 9211 §2.2).
 */
export interface Rejected {
  readonly reason: 'request' | 'stale';
  /** For people. */
  readonly why: string;
}

/**
 * The table of docs/offline.md as code: whether a stored answer of this freshness is what the request takes, undefined
 * where it is.
 */
export function rejected(
  wish: StoredWish,
  freshness: Freshness,
  occasion: Occasion,
): Rejected | undefined {
  // "regardless of other freshness information" (RFC 5861 §4): the caller's limits are for what it gets without asking.
  if (occasion === 'after-error')
    return staleTooLong(freshness, wish.staleIfError ?? -1, 'stale-if-error');
  const { ageSeconds, lifetimeSeconds } = freshness;
  const { maxAge, minFresh, maxStale, onlyIfCached } = wish;
  if (wish.noCache) return { reason: 'request', why: 'no-cache wants the device asked first' };
  if (maxAge !== undefined && ageSeconds > maxAge) {
    return { reason: 'request', why: `it is ${ageSeconds} s old, and max-age takes ${maxAge} s` };
  }
  if (minFresh !== undefined && lifetimeSeconds < ageSeconds + minFresh) {
    const left = Math.max(0, lifetimeSeconds - ageSeconds);
    return {
      reason: 'request',
      why: `it is fresh for ${left} s more, and min-fresh wants ${minFresh} s`,
    };
  }
  // Who wants nothing but what is stored knows that the device is not asked: how old it may be, max-age says.
  const most = maxStale ?? (onlyIfCached ? Number.POSITIVE_INFINITY : -1);
  return staleTooLong(freshness, most, 'max-stale');
}

function staleTooLong(freshness: Freshness, most: number, directive: string): Rejected | undefined {
  if (!isStale(freshness)) return undefined;
  const stale = freshness.ageSeconds - freshness.lifetimeSeconds;
  if (freshness.mustRevalidate) {
    const why = `it has been stale for ${stale} s, and its upstream wants to be asked then (must-revalidate, proxy-revalidate or s-maxage)`;
    return { reason: 'stale', why };
  }
  if (stale <= most) return undefined;
  return {
    reason: 'stale',
    why: `it has been stale for ${stale} s, and ${directive} takes ${Math.max(0, most)} s`,
  };
}
