import { request } from 'node:https';
import { type DetailedPeerCertificate, type SecureContext, TLSSocket } from 'node:tls';
import type { Clock } from '@pullwire/shared';
import type { Tunnel } from './proxy.ts';

const timeLimitMs = 5_000;

/** How the certificate is reached. */
export interface CertificateWay {
  /** `wss:` or `https:`. */
  readonly url: URL;
  readonly secureContext?: SecureContext | undefined;
  /** Not used before; it is closed here. */
  readonly tunnel?: Tunnel | undefined;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
}

/** What a server shows of itself. */
export interface ShownCertificate {
  /** Its own, with the chain that was sent, and completed from the authorities that are trusted. */
  readonly own: DetailedPeerCertificate;
  /** Why it would not be taken: OpenSSL's or Node's code. Undefined where it would. */
  readonly verdict: string | undefined;
  /** `TLSv1.3`. */
  readonly protocol: string | undefined;
}

/**
 * The certificate that a server shows, and what the trust that is given makes of it. Over a TLS connection of its own
 * that refuses nothing, sends nothing, and is closed at once. Rejects with what went wrong where there is no TLS in time.
 */
export function showCertificate(way: CertificateWay): Promise<ShownCertificate> {
  const { url, secureContext, tunnel, clock, signal } = way;
  return new Promise((resolve, reject) => {
    // A request is never sent before its first write, and there is none: it only finds the way, as the link does.
    const asked = request({
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port || 443,
      agent: tunnel?.agent ?? false,
      rejectUnauthorized: false,
      ...(secureContext !== undefined && { secureContext }),
    });
    const over = (): void => {
      timer.cancel();
      signal?.removeEventListener('abort', aborted);
      asked.destroy();
      tunnel?.close();
    };
    const fail = (error: Error): void => {
      over();
      reject(error);
    };
    const aborted = (): void => fail(new Error('given up'));
    const timer = clock.after(timeLimitMs, () =>
      fail(new Error(`no TLS within ${timeLimitMs / 1_000} s`)),
    );
    asked.on('error', fail);
    asked.once('socket', (socket) => {
      // A proxy that refuses the tunnel leaves a socket without TLS.
      if (!(socket instanceof TLSSocket))
        return fail(new Error('there is no TLS on the way to it'));
      socket.once('secureConnect', () => {
        resolve(shownBy(socket));
        over();
      });
    });
    signal?.addEventListener('abort', aborted);
    if (signal?.aborted) aborted();
  });
}

function shownBy(socket: TLSSocket): ShownCertificate {
  return {
    own: socket.getPeerCertificate(true),
    // A text, whatever its type says (Node, `tlsSocket.authorizationError`).
    verdict: socket.authorized ? undefined : String(socket.authorizationError),
    protocol: socket.getProtocol() ?? undefined,
  };
}
