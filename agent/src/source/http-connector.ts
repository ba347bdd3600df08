import { buildConnector } from 'undici';
import type { HttpTarget } from './http-target.ts';
import type { HttpTls } from './http-tls.ts';

/** The code that a reset has from here on. */
export const upstreamReset = 'UPSTREAM_RESET';

/**
 * Connects as undici does. But undici takes a reset (ECONNRESET) for the orderly end of a reply whose body ends with the
 * connection, and a short reply would pass for a whole one; RFC 9112 §8 counts an error of the connection as incomplete.
 * Under another code it is the failure that it is.
 */
export function httpConnector(
  target: HttpTarget,
  tls: HttpTls,
  connectMs: number,
): buildConnector.connector {
  const connect = buildConnector({
    ...(target.isSecure ? tls : undefined),
    ...(target.socketPath === undefined ? undefined : { socketPath: target.socketPath }),
    timeout: connectMs,
    allowH2: false,
  });
  return (options, callback) =>
    connect(options, (...[error, socket]) => {
      if (error !== null) return callback(error, null);
      socket.on('error', nameReset); // before undici listens
      callback(null, socket);
    });
}

function nameReset(error: NodeJS.ErrnoException): void {
  if (error.code === 'ECONNRESET') error.code = upstreamReset;
}
