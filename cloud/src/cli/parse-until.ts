import { durationOf } from './parse-duration.ts';
import { UsageError } from './usage-error.ts';

/** A day, or a moment with its offset from UTC (RFC 3339 §5.6). */
const timePattern = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d))?$/;

/**
 * Reads the end of something: a duration from now on such as `12h`, or a time such as `2027-01-31` (midnight in UTC) or
 * `2027-01-31T18:00Z`. `option`: whose value it is; `now` in milliseconds. Returns epoch seconds. Throws `UsageError`.
 */
export function parseUntil(option: string, text: string, now: number): number {
  const seconds = durationOf(text);
  if (seconds !== undefined) return Math.ceil(now / 1_000) + seconds;
  const at = timePattern.test(text) ? Date.parse(text) : Number.NaN;
  if (at > now) return Math.floor(at / 1_000);
  const wrong = Number.isNaN(at) ? `not "${text}"` : `and "${text}" is over`;
  throw new UsageError(
    `${option} must be such as 12h or 90d, or a time such as 2027-01-31T18:00Z, ${wrong}`,
  );
}
