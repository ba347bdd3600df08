import { type HeaderList, PullFault } from '@pullwire/shared';
import type { Route } from '../http/routes.ts';
import type { StoredReading } from '../reading/reading.ts';
import { upstreamsCondition } from './condition.ts';
import { type Freshness, forbiddenBy, freshnessOf } from './freshness.ts';
import { type Occasion, rejected } from './stored-verdict.ts';
import type { StoredWish } from './stored-wish.ts';
import { variesBy } from './vary.ts';

/** A reading that is an answer to this request. */
export interface StoredAnswer {
  readonly reading: StoredReading;
  readonly freshness: Freshness;
}

/** Why there is none; `reason` is what `Cache-Status` calls it (RFC 9211 §2.2). */
export interface Miss {
  readonly reason: 'uri-miss' | 'vary-miss' | 'request' | 'stale';
  /** For people. */
  readonly why: string;
}

/** A request, and what it says of stored answers. */
export interface StoredRequest {
  readonly route: Pick<Extract<Route, { name: 'pull' }>, 'device'>;
  readonly headers: HeaderList;
  readonly wish: StoredWish;
}

export function isMiss<T extends object>(found: T | Miss): found is Miss {
  return 'why' in found;
}

/** What is stored, where it may be the answer (RFC 9111 §4). `now`: epoch milliseconds, by the relay's clock. */
export function choose(
  { route, headers, wish }: StoredRequest,
  reading: StoredReading | undefined,
  occasion: Occasion,
  now: number,
): StoredAnswer | Miss {
  if (reading === undefined) return nothing;
  const stored = reading.headers ?? [];
  const forbids = forbiddenBy(stored);
  if (forbids !== undefined) return forbidden(route.device, forbids);
  const field = variesBy(stored, headers);
  if (field !== undefined) return { reason: 'vary-miss', why: varied(field) };
  const condition = upstreamsCondition(headers);
  if (condition !== undefined)
    return { reason: 'request', why: `only the upstream can check ${condition}` };
  const freshness = freshnessOf(reading, now);
  return rejected(wish, freshness, occasion) ?? { reading, freshness };
}

export const nothing: Miss = {
  reason: 'uri-miss',
  why: 'nothing is stored of this source, path and query: no schedule asks for it, or it gave no answer lately',
};

/** What `only-if-cached` gets where there is no answer (RFC 9111 §5.2.1.7). */
export function notStored({ why }: Miss): PullFault {
  const detail = `${why}; only-if-cached does not ask the device`;
  return new PullFault('not-stored', 'lookup', { detail });
}

function forbidden(device: string, directive: string): Miss {
  const why =
    `the upstream says Cache-Control: ${directive} with what is stored, which must not be given in place of its ` +
    `answer then; GET /devices/${device}/readings/latest shows it`;
  return { reason: 'uri-miss', why };
}

const varied = (field: string) =>
  field === '*'
    ? 'what is stored varies by more than a request says (Vary: *)'
    : `what is stored varies by ${field}, and schedules ask without it`;
