import { type KeyObject, randomUUID, sign } from 'node:crypto';

export interface DeviceClaims {
  readonly device: string;
  readonly instance: string;
  /** Host of the relay's URL, with its port. */
  readonly audience: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** The JWT of one handshake, by shared/PROTOCOL.md ("Handshake") and RFC 8037: good for two minutes. */
export function deviceToken(key: KeyObject, claims: DeviceClaims): string {
  const iat = Math.floor(claims.now / 1_000);
  const body = [
    { alg: 'EdDSA', typ: 'JWT' },
    {
      sub: claims.device,
      inst: claims.instance,
      aud: claims.audience,
      iat,
      exp: iat + 120,
      jti: randomUUID(),
    },
  ].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'));
  const text = body.join('.');
  return `${text}.${sign(null, Buffer.from(text), key).toString('base64url')}`;
}
