import { PullFault, scheduleNamePattern } from '@pullwire/shared';
import type { ReadingSeries, ReadingTime } from './reading.ts';

/** What a caller asks of `GET /devices/{device}/readings`. */
export interface ReadingsRequest {
  readonly source: string | undefined;
  readonly path: string | undefined;
  /** Epoch milliseconds; that very one is in. */
  readonly since: number;
  /** Epoch milliseconds; that very one is out. */
  readonly until: number;
  readonly limit: number;
  readonly after: ReadingTime | undefined;
}

const usualLimit = 100;
const mostLimit = 1_000;
/** Times of readings lie before it: the year 10,000, where RFC 3339 ends. */
const endOfTime = 253_402_300_800_000;

const rangeNames = ['source', 'path', 'since', 'until', 'limit', 'cursor'];
const latestNames = ['source', 'path', 'query'];

/** Throws `PullFault` `bad-request`. */
export function readingsRequest(query: string | undefined): ReadingsRequest {
  const params = paramsOf(query, rangeNames);
  const limit = Number(params.get('limit') ?? usualLimit);
  if (!Number.isInteger(limit) || limit < 1 || limit > mostLimit) {
    refuse(`limit must be a whole number from 1 to ${mostLimit}`);
  }
  return {
    source: params.get('source') ?? undefined,
    path: params.get('path') ?? undefined,
    since: timeOf(params, 'since') ?? 0,
    until: timeOf(params, 'until') ?? endOfTime,
    limit,
    after: cursorOf(params),
  };
}

/** Which series a caller wants the latest of; the path as in a pull, `/` where none is said. Throws `PullFault`. */
export function latestRequest(query: string | undefined): ReadingSeries {
  const params = paramsOf(query, latestNames);
  const source = params.get('source') ?? refuse('say which source: ?source=…&path=…');
  const asked = params.get('query');
  return { source, path: params.get('path') ?? '/', ...(asked !== null && { query: asked }) };
}

/** The query that asks for the following page. */
export function nextQuery(query: string | undefined, next: ReadingTime): string {
  const params = new URLSearchParams(query ?? '');
  params.set('cursor', cursorText(next));
  return params.toString();
}

/** Opaque to callers. */
export function cursorText({ at, schedule }: ReadingTime): string {
  return Buffer.from(`${at}#${schedule}`).toString('base64url');
}

function cursorOf(params: URLSearchParams): ReadingTime | undefined {
  const text = params.get('cursor');
  if (text === null) return undefined;
  const [, at, schedule = ''] =
    /^(\d{1,15})#(.+)$/.exec(Buffer.from(text, 'base64url').toString()) ?? [];
  if (at === undefined || !scheduleNamePattern.test(schedule)) {
    return refuse('cursor must be the `next` of the page before, or left out');
  }
  return { at: Number(at), schedule };
}

function paramsOf(query: string | undefined, known: readonly string[]): URLSearchParams {
  const params = new URLSearchParams(query ?? '');
  for (const name of params.keys()) {
    if (!known.includes(name)) refuse(`there is ${known.join(', ')} here, and no other parameter`);
  }
  return params;
}

const instant = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)$/;

/** RFC 3339 §5.6, or epoch milliseconds. */
function timeOf(params: URLSearchParams, name: 'since' | 'until'): number | undefined {
  const text = params.get(name);
  if (text === null) return undefined;
  if (/^\d{1,15}$/.test(text)) return Math.min(Number(text), endOfTime);
  // A `+` that was not escaped has become a space.
  const time = text.replace(/ (?=\d\d:\d\d$)/, '+');
  const at = instant.test(time) ? Date.parse(time.replace(' ', 'T')) : Number.NaN;
  if (Number.isNaN(at)) {
    refuse(`${name} must be a time such as 2026-11-28T09:00:00Z (RFC 3339), or epoch milliseconds`);
  }
  return Math.max(0, at);
}

function refuse(detail: string): never {
  throw new PullFault('bad-request', 'lookup', { detail });
}
