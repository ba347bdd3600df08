import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { CompactSign, SignJWT } from 'jose';

/** A key of a device, and what an agent signs with it; for tests that play the agent by hand. */
export class SigningDevice {
  readonly device: string;
  readonly publicKey: string;
  readonly #key: KeyObject;

  constructor(device: string) {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    this.device = device;
    this.#key = privateKey;
    this.publicKey = `ed25519:${publicKey.export({ format: 'jwk' }).x}`;
  }

  /** PROTOCOL.md, "Handshake". */
  token(audience: string, instance = 'main'): Promise<string> {
    const now = Math.floor(Date.now() / 1_000);
    return new SignJWT({ inst: instance })
      .setProtectedHeader({ alg: 'EdDSA', typ: 'JWT' })
      .setSubject(this.device)
      .setAudience(audience)
      .setIssuedAt(now)
      .setExpirationTime(now + 60)
      .setJti(randomUUID())
      .sign(this.#key);
  }

  /** PROTOCOL.md, "Proof of a key". */
  proof(purpose: string): Promise<string> {
    const payload = JSON.stringify({ key: this.publicKey, for: purpose });
    return new CompactSign(new TextEncoder().encode(payload))
      .setProtectedHeader({ alg: 'EdDSA', typ: 'pullwire-key+jwt' })
      .sign(this.#key);
  }
}
