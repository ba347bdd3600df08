import { decodeJwt, errors, type JWTPayload, type JWTVerifyResult, jwtVerify } from 'jose';
import type { IssuerConfig } from '../config/issuer-config.ts';
import { AuthError } from './auth-error.ts';
import type { IssuerKeys } from './issuer-keys.ts';
import { isTokenForm } from './token-form.ts';

/** Seconds that the issuer's clock may be ahead of ours. */
const leewaySeconds = 30;
const longestSeconds = 24 * 3_600;

/** Headers with which a token would bring, or choose, the key that it is checked with (RFC 8725 §3.10). */
const keyHeaders = ['jwk', 'jku', 'x5u', 'x5c', 'crit'];
/** ID tokens (OpenID Connect) and access tokens (RFC 9068), not what else an issuer signs (RFC 8725 §3.11). */
const types = new Set(['jwt', 'application/jwt', 'at+jwt', 'application/at+jwt']);

/** Whom a token names as its issuer, before anything is proven; undefined where it is none or names nobody. */
export function unverifiedIssuer(token: string): string | undefined {
  if (!isTokenForm(token)) return undefined;
  try {
    const { iss } = decodeJwt(token);
    return typeof iss === 'string' ? iss : undefined;
  } catch {
    return undefined;
  }
}

/** Claims that an issuer vouches for. */
export type IssuerClaims = JWTPayload & { readonly exp: number };

/**
 * Checks a token of this issuer: by its keys and pinned algorithms, for its audience, within its times (`now` in
 * milliseconds; `exp` has no leeway). Throws `AuthError`, or `IssuerUnavailable`.
 */
export async function verifyIssuerToken(
  token: string,
  config: IssuerConfig,
  keys: IssuerKeys,
  now: number,
): Promise<IssuerClaims> {
  const { payload, protectedHeader } = await verified(token, config, keys, now);
  if (keyHeaders.some((name) => Object.hasOwn(protectedHeader, name))) {
    throw malformed('the token brings a key or an extension');
  }
  const { typ } = protectedHeader;
  if (typ !== undefined && !types.has(String(typ).toLowerCase()))
    throw malformed('the token is another type');
  const { iat, exp } = payload;
  if (typeof exp !== 'number' || typeof iat !== 'number') throw malformed('the token has no times');
  if (exp <= now / 1_000) throw new AuthError('token-expired', 'the token has expired');
  if (iat > now / 1_000 + leewaySeconds) {
    throw new AuthError('token-not-yet-valid', 'the token was made in the future');
  }
  if (exp - iat > longestSeconds) {
    throw new AuthError('lifetime-too-long', 'the token lives longer than 24 hours');
  }
  return { ...payload, exp };
}

async function verified(
  token: string,
  { issuer, audience, algorithms }: IssuerConfig,
  keys: IssuerKeys,
  now: number,
): Promise<JWTVerifyResult> {
  try {
    return await jwtVerify(token, keys.find, {
      algorithms: [...algorithms],
      issuer,
      audience,
      requiredClaims: ['iat', 'exp'],
      clockTolerance: leewaySeconds,
      currentDate: new Date(now),
    });
  } catch (error) {
    throw refusal(error);
  }
}

/** What jose found, in our words; that the keys cannot be had is passed through. */
function refusal(error: unknown): unknown {
  if (error instanceof errors.JOSEAlgNotAllowed) {
    return new AuthError('algorithm-refused', 'the token is not signed as its issuer is set to');
  }
  if (
    error instanceof errors.JWSSignatureVerificationFailed ||
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys
  ) {
    return new AuthError('signature-wrong', 'the token is not signed by one key of its issuer');
  }
  if (error instanceof errors.JWTExpired) {
    return new AuthError('token-expired', 'the token has expired');
  }
  const claim = error instanceof errors.JWTClaimValidationFailed ? error : undefined;
  if (claim?.claim === 'aud') {
    return new AuthError('audience-wrong', 'the token is for another audience');
  }
  if (claim?.claim === 'nbf' && claim.reason === 'check_failed') {
    return new AuthError('token-not-yet-valid', 'the token is not valid yet');
  }
  const known = error instanceof errors.JOSEError || error instanceof TypeError;
  return known ? malformed('the token is not one that its issuer makes') : error;
}

function malformed(message: string): AuthError {
  return new AuthError('token-malformed', message);
}
