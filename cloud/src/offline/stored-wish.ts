import { fieldList, type HeaderList } from '@pullwire/shared';
import { cacheDirectives, deltaSeconds } from '../http/cache-control.ts';

/** What a request says of answers that are not from now (RFC 9111 §5.2.1, RFC 5861 §4). Times are in seconds. */
export interface StoredWish {
  /** The device must not be asked. */
  readonly onlyIfCached: boolean;
  /** The device must be asked first. */
  readonly noCache: boolean;
  /** For how long it may have been stale, without asking the device; `Infinity` where the request says no limit. */
  readonly maxStale: number | undefined;
  /** For how long it may have been stale, where asking the device ends in an error. */
  readonly staleIfError: number | undefined;
  /** Of what is given without asking the device. */
  readonly maxAge: number | undefined;
  readonly minFresh: number | undefined;
}

const asks = /max-stale|only-if-cached|stale-if-error/i;

/**
 * Undefined for nearly all requests: those that do not ask for a stored answer, which is asked for by GET and HEAD without
 * a body. A directive that is not well-formed counts as absent, the first of several counts (RFC 9111 §4.2.1).
 */
export function storedWish(request: {
  readonly method: string;
  readonly headers: HeaderList;
  readonly body: { readonly length: number | undefined };
}): StoredWish | undefined {
  const { method, headers, body } = request;
  if ((method !== 'GET' && method !== 'HEAD') || body.length !== 0) return undefined;
  const said = fieldList(headers, 'cache-control');
  if (said === undefined || !asks.test(said)) return undefined;
  const wish = wishOf(headers);
  const isAsked =
    wish.onlyIfCached || wish.maxStale !== undefined || wish.staleIfError !== undefined;
  return isAsked ? wish : undefined;
}

/** Whether a stored answer will do before the device was asked. */
export function comesFirst({ onlyIfCached, noCache, maxStale }: StoredWish): boolean {
  return !noCache && (onlyIfCached || maxStale !== undefined);
}

function wishOf(headers: HeaderList): StoredWish {
  const directives = cacheDirectives(headers);
  const isSaid = (wanted: string) =>
    directives.some(({ name, argument }) => name === wanted && argument === undefined);
  const seconds = (wanted: string, otherwise?: number) => {
    for (const { name, argument } of directives) {
      if (name !== wanted) continue;
      const value = argument === undefined ? otherwise : deltaSeconds(argument);
      if (value !== undefined) return value;
    }
    return undefined;
  };
  return {
    onlyIfCached: isSaid('only-if-cached'),
    noCache: isSaid('no-cache'),
    maxStale: seconds('max-stale', Number.POSITIVE_INFINITY),
    staleIfError: seconds('stale-if-error'),
    maxAge: seconds('max-age'),
    minFresh: seconds('min-fresh'),
  };
}
