import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { HttpEvent } from '../../src/lambda/event.ts';

/** What concerns one connection only, or has a field of its own in the event. */
const left = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
  'expect',
  'cookie',
]);

/** Types whose bytes are sent as text; others, and encoded ones, as base64. */
const textType = /^(text\/|application\/(json|xml|javascript|[^;]+\+(json|xml))\b)/i;

/**
 * The event of a request at a function URL ("Invoking Lambda function URLs", payload format 2.0). Path and query stay
 * percent-encoded as they came. `now` in epoch milliseconds.
 */
export function urlEvent(request: IncomingMessage, body: Buffer, now: number): HttpEvent {
  const [rawPath = '/', ...query] = (request.url ?? '/').split('?');
  const rawQueryString = query.join('?');
  const sourceIp = request.socket.remoteAddress ?? '';
  const headers = joinedHeaders(request.rawHeaders);
  const forwarded = headers['x-forwarded-for'];
  headers['x-forwarded-for'] = forwarded === undefined ? sourceIp : `${forwarded}, ${sourceIp}`;
  headers['x-forwarded-proto'] = 'https';
  headers['x-forwarded-port'] = '443';
  headers['x-amzn-trace-id'] = `Root=1-${randomUUID()}`;
  const cookies = cookieList(request.rawHeaders);
  const more = {
    routeKey: '$default',
    ...(rawQueryString === '' ? {} : { queryStringParameters: joinedQuery(rawQueryString) }),
  };
  return {
    version: '2.0',
    ...more,
    rawPath,
    rawQueryString,
    ...(cookies.length === 0 ? {} : { cookies }),
    headers,
    requestContext: requestContext(request, headers, rawPath, sourceIp, now),
    ...bodyFields(headers, body),
  };
}

function requestContext(
  request: IncomingMessage,
  headers: Readonly<Record<string, string>>,
  path: string,
  sourceIp: string,
  now: number,
): HttpEvent['requestContext'] {
  const userAgent = headers['user-agent'];
  const more = { accountId: 'anonymous', apiId: 'strict', routeKey: '$default', stage: '$default' };
  return {
    ...more,
    domainName: 'strict.lambda-url.us-east-1.on.aws',
    requestId: randomUUID(),
    timeEpoch: now,
    http: {
      method: request.method ?? 'GET',
      path,
      protocol: 'HTTP/1.1',
      sourceIp,
      ...(userAgent === undefined ? {} : { userAgent }),
    },
  };
}

function bodyFields(
  headers: Readonly<Record<string, string>>,
  body: Buffer,
): { body?: string; isBase64Encoded: boolean } {
  if (body.length === 0) return { isBase64Encoded: false };
  const encoded = headers['content-encoding'] !== undefined;
  const text = body.toString('utf8');
  const isText =
    !encoded && textType.test(headers['content-type'] ?? '') && Buffer.from(text).equals(body);
  return isText
    ? { body: text, isBase64Encoded: false }
    : { body: body.toString('base64'), isBase64Encoded: true };
}

function* pairs(rawHeaders: readonly string[]): Generator<readonly [string, string]> {
  for (let i = 0; i < rawHeaders.length; i += 2) {
    yield [(rawHeaders[i] ?? '').toLowerCase(), rawHeaders[i + 1] ?? ''];
  }
}

function joinedHeaders(rawHeaders: readonly string[]): Record<string, string> {
  const joined = new Map<string, string>();
  for (const [name, value] of pairs(rawHeaders)) {
    if (left.has(name)) continue;
    const before = joined.get(name);
    joined.set(name, before === undefined ? value : `${before},${value}`);
  }
  return Object.fromEntries(joined);
}

function cookieList(rawHeaders: readonly string[]): string[] {
  return [...pairs(rawHeaders)]
    .filter(([name]) => name === 'cookie')
    .flatMap(([, value]) => value.split(/; */))
    .filter((cookie) => cookie !== '');
}

function joinedQuery(rawQueryString: string): Record<string, string> {
  const joined = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(rawQueryString)) {
    const before = joined.get(name);
    joined.set(name, before === undefined ? value : `${before},${value}`);
  }
  return Object.fromEntries(joined);
}
