import type { KeyObject } from 'node:crypto';
import { SignJWT } from 'jose';

export interface HandshakeClaims {
  readonly device: string;
  readonly instance: string;
  /** Of the relay; `audienceOf` its URL by default. */
  readonly audience: string;
  /** Unique to this token. */
  readonly jti: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly ttlSeconds?: number;
}

/** A relay takes no more (PROTOCOL.md, "Handshake"). */
const longestTtlSeconds = 300;
/** Long enough for a slow dial and a clock that is a little off. */
const defaultTtlSeconds = 120;

/**
 * The JWT (RFC 7519) for one handshake, signed with EdDSA (RFC 8037).
 *
 * @throws RangeError where it would live longer than a relay allows.
 */
export function signHandshakeToken(key: KeyObject, claims: HandshakeClaims): Promise<string> {
  const { device, instance, audience, jti, now, ttlSeconds = defaultTtlSeconds } = claims;
  if (ttlSeconds < 1 || ttlSeconds > longestTtlSeconds) {
    throw new RangeError(`a handshake token lives from 1 to ${longestTtlSeconds} seconds`);
  }
  const issuedAt = Math.floor(now / 1_000);
  return new SignJWT({ inst: instance })
    .setProtectedHeader({ alg: 'EdDSA', typ: 'JWT' })
    .setSubject(device)
    .setAudience(audience)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + ttlSeconds)
    .setJti(jti)
    .sign(key);
}

/** The host of a relay's URL in lower case, with the port where it is not the scheme's own. */
export function audienceOf(relayUrl: string): string {
  return new URL(relayUrl).host;
}
