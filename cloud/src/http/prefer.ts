import { type HeaderList, headerValue } from '@pullwire/shared';

const wait = /(?:^|,)\s*wait\s*=\s*"?(\d{1,6})"?\s*(?=$|,|;)/i;

/** The seconds of `Prefer: wait=N` (RFC 7240 §4.3) as milliseconds; undefined where there is none. */
export function preferredWaitMs(headers: HeaderList): number | undefined {
  const prefer = headerValue(headers, 'prefer');
  if (prefer === undefined) return undefined;
  const match = wait.exec(prefer);
  return match === null ? undefined : Number(match[1]) * 1_000;
}
