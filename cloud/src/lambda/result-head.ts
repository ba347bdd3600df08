import type { HeaderList } from '@pullwire/shared';
import type { HttpResultHead } from './event.ts';

/**
 * An answer's head as Lambda takes it: a map of names, where only `Set-Cookie` may repeat. Other repeats are joined by
 * commas (RFC 9110 §5.3).
 */
export function resultHead(status: number, headers: HeaderList): HttpResultHead {
  const map: Record<string, string> = {};
  const cookies: string[] = [];
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = (headers[at] as string).toLowerCase();
    const value = headers[at + 1] as string;
    if (name === 'set-cookie') cookies.push(value);
    else map[name] = Object.hasOwn(map, name) ? `${map[name]}, ${value}` : value;
  }
  return { statusCode: status, headers: map, ...(cookies.length === 0 ? undefined : { cookies }) };
}
