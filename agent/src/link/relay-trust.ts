import { createSecureContext, type SecureContext } from 'node:tls';

/**
 * What the relay is trusted by: these authorities (PEM) or, where there are none, those of Node, and TLS 1.2 or newer.
 * Parsing them costs more than a handshake: make it once.
 */
export function relayTrust(ca: string | undefined): SecureContext {
  return createSecureContext({ ca, minVersion: 'TLSv1.2' });
}
