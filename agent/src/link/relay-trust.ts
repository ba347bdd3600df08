import { createSecureContext, type SecureContext } from 'node:tls';

/**
 * What the relay is trusted by: these authorities (PEM) or, where there are none, those of Node, and TLS 1.2 or newer.
 * Parsing them costs more than a handshake: make it once.
 */
export function relayTrust(ca: string | undefined): SecureContext {
  return createSecureContext({ ca, minVersion: 'TLSv1.2' });
}

/**
 * The same trust, for dials that offer a TLS session: with a key exchange that costs 2.3 KB less on the wire, since it
 * is not a post-quantum one. What is resumed keeps the secret of the full handshake (RFC 8446 §7.1), and with it that
 * handshake's strength against whoever records it.
 */
export function resumingTrust(ca: string | undefined): SecureContext {
  return createSecureContext({ ca, minVersion: 'TLSv1.2', ecdhCurve: 'X25519:P-256:P-384' });
}
