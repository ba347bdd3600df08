import { fieldList, type HeaderList } from '@pullwire/shared';

/** A member of `Cache-Control` (RFC 9111 §5.2). */
export interface CacheDirective {
  /** In lower case. */
  readonly name: string;
  /** Undefined where there is no argument; of a quoted one what stands in the quotes. */
  readonly argument: string | undefined;
}

/** Between commas that are not in quotes. */
const members = /(?:[^,"]|"(?:[^"\\]|\\.)*"?)+/g;
const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const directive = new RegExp(
  `^[ \\t]*(${token})(?:=(?:(${token})|"((?:[^"\\\\]|\\\\.)*)"))?[ \\t]*$`,
);

/** What all lines of `Cache-Control` say, in order; members that are no directive are left out. */
export function cacheDirectives(headers: HeaderList): CacheDirective[] {
  const list = fieldList(headers, 'cache-control');
  const found: CacheDirective[] = [];
  for (const [member] of (list ?? '').matchAll(members)) {
    const match = directive.exec(member);
    if (match === null) continue;
    const [, name = '', plain, quoted] = match;
    found.push({ name: name.toLowerCase(), argument: plain ?? quoted?.replace(/\\(.)/g, '$1') });
  }
  return found;
}

/** More than this is this (RFC 9111 §1.2.2), in seconds. */
const mostSeconds = 2 ** 31;

/** The seconds of an argument, token or quoted (RFC 9111 §5.2); undefined where it is no whole number. */
export function deltaSeconds(argument: string | undefined): number | undefined {
  return argument !== undefined && /^\d+$/.test(argument)
    ? Math.min(Number(argument), mostSeconds)
    : undefined;
}
