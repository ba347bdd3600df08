import type { HeaderList } from '@pullwire/shared';

const wait = /(?:^|,)\s*wait\s*=\s*"?(\d{1,6})"?\s*(?=$|,|;)/i;
const respondAsync = /(?:^|,)\s*respond-async\s*(?=$|,|;)/i;

/** The seconds of `Prefer: wait=N` (RFC 7240 §4.3) as milliseconds; undefined where there is none. */
export function preferredWaitMs(headers: HeaderList): number | undefined {
  const match = wait.exec(preferences(headers));
  return match === null ? undefined : Number(match[1]) * 1_000;
}

/** `Prefer: respond-async` (RFC 7240 §4.1). */
export function prefersAsync(headers: HeaderList): boolean {
  return respondAsync.test(preferences(headers));
}

/**
 * What is left of a `Prefer` once `respond-async` and `wait` have been honoured: the others are the upstream's. Undefined
 * where nothing is.
 */
export function otherPreferences(headers: HeaderList): string | undefined {
  const others = preferences(headers)
    .split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/) // a comma within quotes parts nothing
    .map((preference) => preference.trim())
    .filter((text) => text !== '' && !/^(respond-async|wait)\b/i.test(text));
  return others.length === 0 ? undefined : others.join(', ');
}

/** Several lines are one list (RFC 7240 §2). */
function preferences(headers: HeaderList): string {
  const values: string[] = [];
  for (let at = 0; at + 1 < headers.length; at += 2) {
    if (headers[at]?.toLowerCase() === 'prefer') values.push(headers[at + 1] as string);
  }
  return values.join(', ');
}
