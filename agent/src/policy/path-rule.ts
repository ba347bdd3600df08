import { PullFault } from '@pullwire/shared';

/** What a raw path may hold: visible ASCII without `?`, `#` and `\` (RFC 3986 §3.3). */
const rawPath = /^\/[\x21\x22\x24-\x3e\x40-\x5b\x5d-\x7e]*$/;
/** Controls (C0, DEL, C1) and `\`, which WHATWG URL and Windows read as `/`. */
const hostileCharacter = /[\u0000-\u001f\u007f-\u009f\\]/;
/** A second level of `.`, `/` or `\`: whoever decodes twice would read another path. */
const secondLevel = /%(?:2e|2f|5c)/i;
/** `.`, `..` or nothing, alone or before path parameters: Tomcat and Jetty cut `..;x` down to `..`. */
const walk = /^\.{0,2}(?:;|$)/;

/**
 * The path rule of DESIGN.md, decision 9: splits a raw path on `/` and decodes each segment once. A trailing `/` gives
 * a last empty segment. Throws `PullFault` `path-refused` wherever two servers could read two different paths:
 *
 * - Bytes outside visible ASCII: RFC 3986 does not allow them, and readers differ in what they make of them.
 * - An empty segment in the middle (`//`): nginx merges it away, WHATWG URL keeps it and reads a leading one as a host,
 *   so that a pattern could hold for one reading and not for the other.
 * - `;`: Tomcat drops `;…` from a segment before it resolves dots, so `..;x`, `.;x` and `;x` count as `..`, `.` and
 *   nothing. Other parameters pass; patterns see them (path-pattern.ts).
 * - `%2F` stays inside its segment, but nginx resolves dots and merges slashes after decoding it: each part between
 *   decoded slashes obeys the same rules.
 * - What decodes to something that is not UTF-8: overlong forms of `.` and `/` hide there.
 */
export function splitPath(path: string): readonly string[] {
  if (!rawPath.test(path)) {
    throw refused('it holds a character that must be percent-encoded, or does not begin with "/"');
  }
  const segments = path.slice(1).split('/');
  const last = segments.length - 1;
  for (let i = 0; i <= last; i += 1) {
    const raw = segments[i] as string;
    if (raw === '' && i === last) break;
    segments[i] = checkSegment(raw.includes('%') ? decode(raw) : raw);
  }
  return segments;
}

/** Whether a decoded name could be asked for at all: what a listing may show. */
export function isReachableName(name: string): boolean {
  return !name.includes('/') && problemOf(name) === undefined;
}

function checkSegment(segment: string): string {
  const problem = problemOf(segment);
  if (problem !== undefined) throw refused(problem);
  return segment;
}

function problemOf(segment: string): string | undefined {
  if (hostileCharacter.test(segment)) return 'a segment holds a control character or "\\"';
  if (secondLevel.test(segment)) return 'a segment is percent-encoded twice';
  if (!segment.includes('/')) return walk.test(segment) ? notAName : undefined;
  return segment.split('/').some((part) => walk.test(part)) ? notAName : undefined;
}

const notAName = 'a segment is empty, "." or ".."';

function decode(raw: string): string {
  try {
    return decodeURIComponent(raw);
  } catch {
    throw refused('its percent-encoding is not valid, or not of UTF-8');
  }
}

function refused(why: string): PullFault {
  return new PullFault('path-refused', 'policy', { detail: `the path is refused: ${why}` });
}
