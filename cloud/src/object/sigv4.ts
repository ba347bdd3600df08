import { createHash, createHmac } from 'node:crypto';
import {
  canonicalRequest,
  encodeRfc3986,
  signedHeaderNames,
  type UnsignedRequest,
} from './sigv4-canonical.ts';

/** Keys to AWS. Never logged, never part of an error. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of temporary credentials, such as a role's. */
  readonly sessionToken: string | undefined;
}

/** What a signature is good for. */
export interface SigningScope {
  readonly credentials: AwsCredentials;
  readonly region: string;
  /** As AWS names it in signatures: `s3`, `ssm`, `execute-api`. */
  readonly service: string;
}

/** The hash of a body that is not signed: only S3 takes it. */
const unsignedPayload = 'UNSIGNED-PAYLOAD';

const algorithm = 'AWS4-HMAC-SHA256';

/** Lower-case hexadecimal SHA-256. */
export function sha256Hex(bytes: string | Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * The headers of a signed request: those given, `x-amz-date`, the session token and `authorization` (AWS IAM User
 * Guide, "Create a signed AWS API request").
 *
 * `payloadHash`: `sha256Hex` of the body. `now`: epoch milliseconds.
 */
export function signByHeader(
  request: UnsignedRequest,
  payloadHash: string,
  scope: SigningScope,
  now: number,
): Record<string, string> {
  const { sessionToken, accessKeyId } = scope.credentials;
  const date = amzDate(now);
  const headers: Record<string, string> = { ...request.headers, 'x-amz-date': date };
  if (scope.service === 's3') headers['x-amz-content-sha256'] = payloadHash;
  if (sessionToken !== undefined) headers['x-amz-security-token'] = sessionToken;
  const signed = { ...headers, host: request.url.host };
  const signature = signatureOf({ ...request, headers: signed }, payloadHash, scope, date);
  headers['authorization'] =
    `${algorithm} Credential=${accessKeyId}/${scopeText(scope, date)}, ` +
    `SignedHeaders=${signedHeaderNames(signed)}, Signature=${signature}`;
  return headers;
}

/**
 * A URL that carries its own permission (Amazon S3 API Reference, "Authenticating Requests: Using Query Parameters").
 * Whoever uses it must send the request's headers exactly. The body is not hashed into the signature: sign a checksum
 * header to bind it.
 *
 * `now`: epoch milliseconds. `expiresSeconds`: at most a week; temporary credentials may end sooner.
 */
export function signByQuery(
  request: UnsignedRequest,
  expiresSeconds: number,
  scope: SigningScope,
  now: number,
): string {
  const { sessionToken, accessKeyId } = scope.credentials;
  const date = amzDate(now);
  const headers = { ...request.headers, host: request.url.host };
  const fields = [
    ['X-Amz-Algorithm', algorithm],
    ['X-Amz-Credential', `${accessKeyId}/${scopeText(scope, date)}`],
    ['X-Amz-Date', date],
    ['X-Amz-Expires', String(expiresSeconds)],
    ...(sessionToken === undefined ? [] : [['X-Amz-Security-Token', sessionToken]]),
    ['X-Amz-SignedHeaders', signedHeaderNames(headers)],
  ] as [string, string][];
  const added = fields.map(([name, value]) => `${name}=${encodeRfc3986(value)}`).join('&');
  const url = new URL(request.url);
  url.search = url.search === '' ? added : `${url.search}&${added}`;
  const payloadHash = scope.service === 's3' ? unsignedPayload : sha256Hex('');
  const signature = signatureOf({ ...request, url, headers }, payloadHash, scope, date);
  return `${url.href}&X-Amz-Signature=${signature}`;
}

function signatureOf(
  request: UnsignedRequest,
  payloadHash: string,
  scope: SigningScope,
  date: string,
): string {
  // S3 takes the path as it is sent; the other services want it normalised and encoded once more.
  const path = scope.service === 's3' ? 'as-sent' : 'encoded-again';
  const canonical = canonicalRequest(request, payloadHash, path);
  const text = [algorithm, date, scopeText(scope, date), sha256Hex(canonical)].join('\n');
  return createHmac('sha256', signingKey(scope, date)).update(text).digest('hex');
}

function signingKey({ credentials, region, service }: SigningScope, date: string): Buffer {
  const steps = [date.slice(0, 8), region, service, 'aws4_request'];
  return steps.reduce(
    (key, step) => createHmac('sha256', key).update(step).digest(),
    Buffer.from(`AWS4${credentials.secretAccessKey}`),
  );
}

function scopeText({ region, service }: SigningScope, date: string): string {
  return `${date.slice(0, 8)}/${region}/${service}/aws4_request`;
}

/** ISO 8601 in its basic form: `20150830T123600Z`. */
function amzDate(now: number): string {
  return `${new Date(now).toISOString().slice(0, 19).replaceAll(/[:-]/g, '')}Z`;
}
