import { createHash, createPublicKey, type KeyObject } from 'node:crypto';

/** A device's public key, ready to verify with. */
export interface DeviceKey {
  /** Tells keys apart in logs and records: the beginning of the key's SHA-256. */
  readonly keyId: string;
  /** `ed25519:` and base64url, as it was read. */
  readonly text: string;
  readonly key: KeyObject;
}

const publicKeyPattern = /^ed25519:([A-Za-z0-9_-]{43})$/;

/**
 * Reads `ed25519:` and base64url of the 32 bytes of a public key (RFC 8032 §5.1.5), as `pullwire-agent keygen`
 * prints it; undefined where it is something else.
 */
export function parseDeviceKey(text: string): DeviceKey | undefined {
  const x = publicKeyPattern.exec(text)?.[1];
  if (x === undefined) return undefined;
  const bytes = Buffer.from(x, 'base64url');
  if (bytes.toString('base64url') !== x) return undefined;
  return {
    text,
    keyId: createHash('sha256').update(bytes).digest('base64url').slice(0, 16),
    key: createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' }), // RFC 8037 §2
  };
}
