import type { KeyObject } from 'node:crypto';
import { CompactSign } from 'jose';
import { publicKeyText } from './device-key.ts';

/**
 * Shows that whoever brings `key`'s public half holds the private one (PROTOCOL.md, "Proof of a key"): a JWS (RFC 7515,
 * compact) by that very key, good for `purpose` alone. It holds no time, since clocks of devices are wrong.
 */
export function signKeyProof(key: KeyObject, purpose: string): Promise<string> {
  const payload = JSON.stringify({ key: publicKeyText(key), for: purpose });
  return new CompactSign(new TextEncoder().encode(payload))
    .setProtectedHeader({ alg: 'EdDSA', typ: 'pullwire-key+jwt' })
    .sign(key);
}
