import { type HeaderList, headerValue, parseHttpDate } from '@pullwire/shared';
import { type CacheDirective, cacheDirectives, deltaSeconds } from '../http/cache-control.ts';
import type { StoredReading } from '../reading/reading.ts';

/** How old a stored answer is, and what the upstream said of such an age. */
export interface Freshness {
  /** Seconds since the upstream gave it (RFC 9111 §4.2.3). */
  readonly ageSeconds: number;
  /** For how long the upstream called it fresh (RFC 9111 §4.2.1); 0 where it said nothing: nothing is guessed here. */
  readonly lifetimeSeconds: number;
  /** Once stale it must not be used, whatever the caller takes (RFC 9111 §4.2.4). */
  readonly mustRevalidate: boolean;
}

const revalidating = new Set(['must-revalidate', 'proxy-revalidate', 's-maxage']);
/** A relay serves many callers: to HTTP it is a shared cache. With a list of fields they count for the whole answer. */
const forbidding = new Set(['no-store', 'no-cache', 'private']);

/** The directive by which the upstream forbids that its answer is given to another request; undefined: it does not. */
export function forbiddenBy(headers: HeaderList): string | undefined {
  return cacheDirectives(headers).find(({ name }) => forbidding.has(name))?.name;
}

/** `now`: epoch milliseconds, by the relay's clock. */
export function freshnessOf(
  { at, receivedAt, headers = [] }: Pick<StoredReading, 'at' | 'receivedAt' | 'headers'>,
  now: number,
): Freshness {
  const directives = cacheDirectives(headers);
  const before = ageBefore(headers);
  // A device's clock may be ahead: since it came here, an answer has been old for so long at least.
  const resident = Math.max(0, Math.floor((now - Math.min(at, receivedAt)) / 1_000));
  return {
    ageSeconds: resident + (before ?? 0),
    lifetimeSeconds: before === undefined ? 0 : lifetimeOf(directives, headers, at),
    mustRevalidate: directives.some(({ name }) => revalidating.has(name)),
  };
}

/** Whether it has outlived what the upstream called fresh. */
export function isStale({ ageSeconds, lifetimeSeconds }: Freshness): boolean {
  return lifetimeSeconds <= ageSeconds;
}

/** What caches behind the device said; undefined where they said it wrongly, which makes the answer stale (RFC 9111 §5.1). */
function ageBefore(headers: HeaderList): number | undefined {
  const age = headerValue(headers, 'age');
  return age === undefined ? 0 : deltaSeconds(age.trim());
}

function lifetimeOf(
  directives: readonly CacheDirective[],
  headers: HeaderList,
  at: number,
): number {
  for (const wanted of ['s-maxage', 'max-age']) {
    const said = directives.find(({ name }) => name === wanted);
    if (said !== undefined) return deltaSeconds(said.argument) ?? 0;
  }
  const expires = headerValue(headers, 'expires');
  if (expires === undefined) return 0;
  const until = parseHttpDate(expires.trim(), at);
  const date = headerValue(headers, 'date');
  const from = (date === undefined ? undefined : parseHttpDate(date.trim(), at)) ?? at / 1_000;
  return until === undefined ? 0 : Math.max(0, Math.floor(until - from));
}
