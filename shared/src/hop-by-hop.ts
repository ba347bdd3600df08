import type { HeaderList } from './message.ts';

/**
 * Fields that are for one connection only (RFC 9110 §7.6.1, §11.7; RFC 9112 §C.2.2; RFC 7615 §3). `Trailer` is not among
 * them: it announces fields that we carry end to end (RFC 9110 §6.6.2); RFC 2616 §13.5.1 still listed it.
 */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
]);

/**
 * Fields that stay although `Connection` names them. "A sender MUST NOT send a connection option corresponding to a
 * field that is intended for all recipients of the content" (RFC 9110 §7.6.1): one who does wants a field to vanish
 * between two servers. Without `Content-Length` or `Host` they would disagree about where a message ends or whom it is
 * for (request smuggling, RFC 9112 §11.2); without credentials, or without what a proxy wrote about the client, a
 * request would pass as somebody else's.
 */
const endToEnd = new Set([
  // Framing and routing
  'content-length',
  'expect',
  'host',
  'trailer',
  // What the body is
  'content-encoding',
  'content-range',
  'content-type',
  // Who asks
  'authorization',
  'cookie',
  'pullwire-key',
  'set-cookie',
  'www-authenticate',
  // What may be stored, and for whom
  'cache-control',
  'vary',
  // What proxies on the way wrote
  'forwarded',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-real-ip',
]);

/** What `Connection` says nearly always, and what names no field. */
const usual = /^(?:keep-alive|close|upgrade)$/i;

const isNeverDropped = (): boolean => false;

/**
 * The fields that an intermediary passes on, in order: without those that are hop-by-hop, those that `Connection` names,
 * and those for which `drop` says true (it is given the name in lower case).
 */
export function endToEndHeaders(
  headers: HeaderList,
  drop: (lowerName: string) => boolean = isNeverDropped,
): string[] {
  const kept: string[] = [];
  let connection: string | undefined;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    const value = headers[i + 1] as string;
    const lowerName = name.toLowerCase();
    if (lowerName === 'connection') connection = join(connection, value);
    if (!hopByHop.has(lowerName) && !drop(lowerName)) kept.push(name, value);
  }
  return connection === undefined || usual.test(connection) ? kept : withoutNamed(kept, connection);
}

/** The value of the first field of this name, given in lower case. */
export function headerValue(headers: HeaderList, lowerName: string): string | undefined {
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    if (name.length === lowerName.length && name.toLowerCase() === lowerName) return headers[i + 1];
  }
  return undefined;
}

/** All lines of a list field, given in lower case, as one (RFC 9110 §5.3); undefined where there is none. */
export function fieldList(headers: HeaderList, lowerName: string): string | undefined {
  let list: string | undefined;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    if (name.length === lowerName.length && name.toLowerCase() === lowerName) {
      list = join(list, headers[i + 1] as string);
    }
  }
  return list?.trim();
}

/** Lines of one name are one list (RFC 9110 §5.2). */
const join = (list: string | undefined, line: string): string =>
  list === undefined ? line : `${list},${line}`;

function withoutNamed(headers: string[], connection: string): string[] {
  const options = connection.split(',').map((option) => option.trim().toLowerCase());
  const named = new Set(options.filter((option) => !endToEnd.has(option)));
  const kept: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    if (!named.has(name.toLowerCase())) kept.push(name, headers[i + 1] as string);
  }
  return kept;
}
