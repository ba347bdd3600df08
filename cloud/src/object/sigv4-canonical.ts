/** A request before it is signed. */
export interface UnsignedRequest {
  readonly method: string;
  /** Path and query are percent-encoded, as they will be sent. */
  readonly url: URL;
  /** Lower-case names; all of them are signed, and `host` besides. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * The one form of a request that both sides hash ("Create a canonical request" in AWS IAM User Guide, "Create a signed
 * AWS API request"). `request.headers` holds all that is signed, `host` included.
 */
export function canonicalRequest(
  { method, url, headers }: UnsignedRequest,
  payloadHash: string,
  path: 'as-sent' | 'encoded-again',
): string {
  // `URL` has removed the dot segments already (WHATWG URL Standard, "path state").
  const canonicalPath = path === 'as-sent' ? url.pathname : encodePathAgain(url.pathname);
  return [
    method,
    canonicalPath,
    canonicalQuery(url.search),
    canonicalHeaders(headers),
    signedHeaderNames(headers),
    payloadHash,
  ].join('\n');
}

/** Names joined by `;` in the order in which they are signed. */
export function signedHeaderNames(headers: Readonly<Record<string, string>>): string {
  return Object.keys(headers).sort().join(';');
}

/** Percent-encodes everything but the unreserved characters (RFC 3986 §2.3), as AWS wants names and values of a query. */
export function encodeRfc3986(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function encodePathAgain(path: string): string {
  return path
    .replaceAll(/\/{2,}/g, '/')
    .split('/')
    .map(encodeRfc3986)
    .join('/');
}

/** Decoded and encoded again, so that what a URL leaves as it is (`'`, `*`) is encoded as AWS does; in order of bytes. */
function canonicalQuery(search: string): string {
  if (search.length < 2) return '';
  const pairs = search
    .slice(1)
    .split('&')
    .map((pair) => {
      const at = pair.indexOf('=');
      const [name, value] = at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)];
      return [encodeOnce(name), encodeOnce(value)] as const;
    });
  return pairs
    .sort(([a, x], [b, y]) => compare(a, b) || compare(x, y))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

function encodeOnce(text: string): string {
  return encodeRfc3986(decodeURIComponent(text));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function canonicalHeaders(headers: Readonly<Record<string, string>>): string {
  return Object.entries(headers)
    .sort(([a], [b]) => compare(a, b))
    .map(([name, value]) => `${name}:${value.trim().replaceAll(/ {2,}/g, ' ')}\n`)
    .join('');
}
