import { createPrivateKey, randomUUID, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';

export interface TokenClaims {
  readonly device: string;
  readonly audience: string;
  readonly instance?: string;
  /** Seconds from now; negative: expired. */
  readonly expiresIn?: number;
}

/** A handshake token made from PROTOCOL.md and RFC 7515 alone, none of our code. `keyFile`: PKCS #8 PEM. */
export function handshakeToken(keyFile: string, claims: TokenClaims): string {
  const issuedAt = Math.floor(Date.now() / 1_000) + Math.min(0, (claims.expiresIn ?? 60) - 60);
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: 'EdDSA', typ: 'JWT' })}.${part({
    sub: claims.device,
    inst: claims.instance ?? 'main',
    aud: claims.audience,
    iat: issuedAt,
    exp:
      claims.expiresIn === undefined
        ? issuedAt + 120
        : Math.floor(Date.now() / 1_000) + claims.expiresIn,
    jti: randomUUID(),
  })}`;
  const key = createPrivateKey(readFileSync(keyFile));
  return `${signed}.${sign(null, Buffer.from(signed), key).toString('base64url')}`;
}
