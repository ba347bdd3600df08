import { PullFault } from '@pullwire/shared';
import { upstreamReset } from './http-connector.ts';
import type { HttpPhase, HttpUpstream } from './http-upstream.ts';

const connectTimeouts = new Set(['UND_ERR_CONNECT_TIMEOUT', 'ETIMEDOUT']);
/** System errors of a connection that never was; what else goes wrong before TLS is up is a failure of TLS. */
const unreachable = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EAI_FAIL',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'EADDRNOTAVAIL',
  'ECONNABORTED',
  'EACCES',
  'EPERM',
  'ENOENT',
  'ENOTSOCK',
  'EMFILE',
  'ENFILE',
]);
const headOverflow = new Set(['UND_ERR_HEADERS_OVERFLOW', 'HPE_HEADER_OVERFLOW']);
/** The client refused the request before a byte of it was sent. */
const malformed = new Set([
  'UND_ERR_INVALID_ARG',
  'UND_ERR_NOT_SUPPORTED',
  'ERR_INVALID_CHAR',
  'ERR_INVALID_HTTP_TOKEN',
  'ERR_UNESCAPED_CHARACTERS',
]);
/** The request's body is not what was declared, or ended before it was whole. */
const bodyBroken = new Set([
  'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH',
  'UND_ERR_ABORTED',
  'ERR_HTTP_CONTENT_LENGTH_MISMATCH',
  'ERR_STREAM_PREMATURE_CLOSE',
]);

/**
 * What an error of an HTTP client means for the pull. `isBodyError`: it came from the request's body, not from upstream.
 * The texts name the source and where its upstream is; an error's own text could repeat what was sent, and is left out.
 */
export function faultOf(
  error: unknown,
  phase: HttpPhase,
  upstream: HttpUpstream,
  isBodyError: boolean,
): PullFault {
  if (error instanceof PullFault) return error;
  const code = codeOf(error);
  const where = `source "${upstream.name}" (${upstream.label})`;
  if (malformed.has(code)) {
    const detail = 'the request is not valid HTTP and was not sent';
    return new PullFault('bad-request', 'policy', { detail, cause: error });
  }
  if (isBodyError || bodyBroken.has(code)) {
    const detail = `the request's body broke off on its way to ${where}`;
    return new PullFault('request-body-broken', 'upstream', { detail, cause: error });
  }
  if (phase === 'connecting') return connectFault(code, where, upstream, error);
  if (phase === 'waiting') return answerFault(code, where, upstream, error);
  const detail = `the reply of ${where} broke off: ${reasonOf(code)}`;
  return new PullFault('reply-broken', 'stream', { detail, cause: error });
}

/** What it means that nothing moved for `ms`. `waitsForCaller`: the rest of the request's body is missing. */
export function timeoutFault(
  phase: HttpPhase,
  ms: number,
  upstream: HttpUpstream,
  waitsForCaller: boolean,
): PullFault {
  const where = `source "${upstream.name}" (${upstream.label})`;
  const spent = `${Math.round(ms)} ms`;
  if (phase === 'connecting') {
    const detail = `no connection to ${where} within ${spent}`;
    return new PullFault('upstream-connect-timeout', 'upstream-connect', { detail });
  }
  if (phase === 'streaming') {
    const detail = `${where} sent nothing of the body for ${spent} (limits.idleMs)`;
    return new PullFault('idle-timeout', 'stream', { detail });
  }
  if (waitsForCaller) {
    const detail = `the caller sent nothing of the request's body for ${spent}`;
    return new PullFault('idle-timeout', 'upstream', { detail });
  }
  const detail = `${where} gave no answer within ${spent} (limits.timeoutMs, or the pull's deadline)`;
  return new PullFault('upstream-timeout', 'upstream', { detail });
}

function connectFault(
  code: string,
  where: string,
  upstream: HttpUpstream,
  cause: unknown,
): PullFault {
  if (connectTimeouts.has(code)) {
    const detail = `no connection to ${where} within ${upstream.limits.connectMs} ms (limits.connectMs)`;
    return new PullFault('upstream-connect-timeout', 'upstream-connect', { detail, cause });
  }
  if (upstream.isSecure && !unreachable.has(code)) return tlsFault(code, where, cause);
  const detail = `${where} cannot be reached: ${reasonOf(code)}`;
  return new PullFault('upstream-unreachable', 'upstream-connect', { detail, cause });
}

function answerFault(
  code: string,
  where: string,
  upstream: HttpUpstream,
  cause: unknown,
): PullFault {
  if (headOverflow.has(code)) {
    const detail = `the head of the reply of ${where} is too large`;
    return new PullFault('reply-head-too-large', 'upstream', { detail, cause });
  }
  // TLS 1.3: a server refuses our certificate only after the handshake is over for us.
  if (upstream.isSecure && code.startsWith('ERR_SSL_')) return tlsFault(code, where, cause);
  const detail = `${where} gave no valid answer: ${reasonOf(code)}`;
  return new PullFault('upstream-failed', 'upstream', { detail, cause });
}

function tlsFault(code: string, where: string, cause: unknown): PullFault {
  const detail = `no TLS with ${where}: ${reasonOf(code)}`;
  return new PullFault('upstream-tls', 'upstream-connect', { detail, cause });
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : '';
}

const reasons: Readonly<Record<string, string>> = {
  '': 'unknown failure',
  ECONNREFUSED: 'connection refused (ECONNREFUSED)',
  ENOTFOUND: 'its name is not known (ENOTFOUND)',
  ECONNRESET: 'connection reset (ECONNRESET)',
  [upstreamReset]: 'connection reset (ECONNRESET)',
  EPIPE: 'connection closed (EPIPE)',
  UND_ERR_SOCKET: 'the connection was closed',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'it is not as long as its Content-Length says',
  UND_ERR_HEADERS_OVERFLOW: 'its trailers are too large',
  CERT_HAS_EXPIRED: 'the certificate has expired (CERT_HAS_EXPIRED)',
  ERR_TLS_CERT_ALTNAME_INVALID:
    'the certificate is for another name (ERR_TLS_CERT_ALTNAME_INVALID)',
};

function reasonOf(code: string): string {
  if (code.startsWith('HPE_')) return `it is not HTTP/1.1 (${code})`;
  return reasons[code] ?? code;
}
