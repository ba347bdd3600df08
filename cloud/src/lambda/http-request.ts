import type { HeaderList } from '@pullwire/shared';
import type { CallerEvent, HttpEvent, RestEvent } from './event.ts';

/** A caller's request, whichever door it came through. */
export interface HttpRequest {
  readonly method: string;
  /** Raw request target (RFC 9112 §3.2). */
  readonly target: string;
  readonly headers: HeaderList;
  readonly body: Uint8Array;
  /** Of whoever reached AWS, by its word; undefined where it says none. */
  readonly remoteAddress: string | undefined;
}

/** Reads the event of a function URL (payload format 2.0) or of a REST API. */
export function httpRequest(event: CallerEvent): HttpRequest {
  return 'httpMethod' in event ? fromRest(event) : fromUrl(event);
}

function fromUrl(event: HttpEvent): HttpRequest {
  return {
    method: event.requestContext.http.method,
    target: targetOf(event.rawPath, event.rawQueryString),
    headers: urlHeaders(event),
    body: bodyOf(event),
    remoteAddress: event.requestContext.http.sourceIp,
  };
}

function fromRest(event: RestEvent): HttpRequest {
  return {
    method: event.httpMethod,
    target: targetOf(event.path, restQuery(event)),
    headers: [...pairs(event.multiValueHeaders)].flat(),
    body: bodyOf(event),
    remoteAddress: event.requestContext?.identity?.sourceIp,
  };
}

const targetOf = (path: string, query: string): string =>
  query === '' ? path : `${path}?${query}`;

function urlHeaders({ headers, cookies }: HttpEvent): string[] {
  const list: string[] = [];
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && (name !== 'cookie' || cookies === undefined)) list.push(name, value);
  }
  if (cookies !== undefined && cookies.length > 0) list.push('cookie', cookies.join('; '));
  return list;
}

/** Encoded anew: the values are what the caller meant, the bytes not always what it wrote. */
function restQuery({ multiValueQueryStringParameters: parameters }: RestEvent): string {
  return [...pairs(parameters)]
    .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
    .join('&');
}

/** `encodeURIComponent` throws where a surrogate has no partner. */
const encoded = (text: string): string => encodeURIComponent(text.toWellFormed());

function* pairs(fields: RestEvent['multiValueHeaders']): Generator<[string, string]> {
  for (const [name, values] of Object.entries(fields ?? {})) {
    for (const value of values ?? []) yield [name, value];
  }
}

function bodyOf({ body, isBase64Encoded }: CallerEvent): Uint8Array {
  return Buffer.from(body ?? '', isBase64Encoded ? 'base64' : 'utf8');
}
