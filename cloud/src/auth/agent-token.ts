import { devicePattern, instancePattern } from '@pullwire/shared';
import { decodeJwt, decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose';
import { AuthError } from './auth-error.ts';
import { type DeviceKey, parseDeviceKey } from './device-key.ts';
import { isTokenForm } from './token-form.ts';

/** A token has a few hundred characters; more is not one. */
const tokenLimit = 2_048;

/** The keys by which a device may be known now; none where an issuer speaks for it. */
export interface DeviceKeys {
  readonly current: DeviceKey | undefined;
  /** The one that is to follow (PROTOCOL.md, "Features": `rotate`). */
  readonly next: DeviceKey | undefined;
}

export interface AgentTokenRules {
  /** Undefined where the device is not known. */
  readonly keysOf: (device: string) => Promise<DeviceKeys | undefined>;
  /** The names under which this relay is dialled. */
  readonly audiences: readonly string[];
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly maxAgeSeconds: number;
  /** How far the device's clock may be off. */
  readonly leewaySeconds: number;
  /** Tokens that were made in an earlier second than this (milliseconds) are refused: they may have been used. */
  readonly madeSince?: number | undefined;
}

/** Who dials. */
export interface AgentIdentity {
  readonly device: string;
  readonly instance: string;
  /** Names the key that signed, in logs and records. */
  readonly keyId: string;
  /** The key that signed, as in `DeviceRecord`. */
  readonly publicKey: string;
  readonly signedBy: 'key' | 'next-key' | 'issuer';
  /** `jti`; undefined with an issuer's token, which is good until it expires. */
  readonly tokenId: string | undefined;
  /** Epoch seconds. */
  readonly expiresAt: number;
}

/**
 * Stands in for a key that we do not have, so that a token which is refused costs the same work whatever we know of its
 * device. Its bytes are the SHA-256 of "pullwire: the key of nobody, 1": nobody has its private half, and what it would
 * sign is refused all the same.
 */
const nobody = parseDeviceKey('ed25519:-AZoHjOhWIs0nSY0eKoUQ-cWNmkf9c4rFRa6rsUpGJU') as DeviceKey;
const nobodys: DeviceKeys = { current: undefined, next: undefined };

/**
 * Checks the JWT of a handshake (RFC 7519; PROTOCOL.md, "Handshake"): signed with EdDSA by a key that the registry
 * has for its `sub`, for one of our audiences, and young. Throws an `AuthError`, or the `RegistryError` of the look-up.
 */
export async function verifyAgentToken(
  token: string | undefined,
  rules: AgentTokenRules,
): Promise<AgentIdentity> {
  if (token === undefined || token === '') throw new AuthError('token-missing', 'no token');
  const claims = readClaims(token);
  const keys = await rules.keysOf(claims.device);
  const signer = await signerOf(token, keys ?? nobodys, rules);
  if (keys === undefined) {
    throw new AuthError('device-unknown', `the device ${claims.device} is not known`);
  }
  if (signer === undefined) {
    throw new AuthError('signature-wrong', 'the token is not signed by the key of its device');
  }
  checkLifetime(claims, rules);
  const { device, instance, tokenId, exp } = claims;
  const { keyId, text: publicKey } = signer;
  const signedBy = signer === keys.current ? 'key' : 'next-key';
  return { device, instance, keyId, publicKey, signedBy, tokenId, expiresAt: exp };
}

/** The key that signed, of those that may. Where none did, two were tried, also for a device that has fewer. */
async function signerOf(
  token: string,
  { current, next }: DeviceKeys,
  rules: AgentTokenRules,
): Promise<DeviceKey | undefined> {
  if (await isSignedBy(token, current ?? nobody, rules)) return current;
  return (await isSignedBy(token, next ?? nobody, rules)) ? next : undefined;
}

interface Claims {
  readonly device: string;
  readonly instance: string;
  readonly tokenId: string;
  readonly iat: number;
  readonly exp: number;
}

/** The header and the claims as the token says them, before anything is proven. */
function readClaims(token: string): Claims {
  const { alg, sub, inst, iat, exp, jti } = parse(token);
  if (alg !== 'EdDSA')
    throw new AuthError('algorithm-refused', 'the token is not signed with EdDSA');
  if (typeof sub !== 'string' || !devicePattern.test(sub)) throw malformed('sub');
  if (typeof inst !== 'string' || !instancePattern.test(inst)) throw malformed('inst');
  if (typeof iat !== 'number') throw malformed('iat');
  if (typeof exp !== 'number') throw malformed('exp');
  if (typeof jti !== 'string' || jti === '') throw malformed('jti');
  return { device: sub, instance: inst, tokenId: jti, iat, exp };
}

function parse(token: string): JWTPayload & { readonly alg: string | undefined } {
  if (token.length > tokenLimit) throw new AuthError('token-malformed', 'the token is too long');
  // What reads it is lenient, with padding for one; a token has one form (RFC 7515 §2, §7.1).
  if (!isTokenForm(token)) throw new AuthError('token-malformed', 'the token is not a JWT');
  try {
    return { ...decodeJwt(token), alg: decodeProtectedHeader(token).alg };
  } catch {
    throw new AuthError('token-malformed', 'the token is not a JWT');
  }
}

function malformed(claim: string): AuthError {
  return new AuthError('token-malformed', `the claim "${claim}" is missing or not valid`);
}

/** Throws an `AuthError` where the token is not one that an agent makes, or is signed rightly and not valid now. */
async function isSignedBy(
  token: string,
  { key }: DeviceKey,
  rules: AgentTokenRules,
): Promise<boolean> {
  try {
    await jwtVerify(token, key, {
      algorithms: ['EdDSA'],
      typ: 'JWT',
      audience: [...rules.audiences],
      clockTolerance: rules.leewaySeconds,
      currentDate: new Date(rules.now),
    });
    return true;
  } catch (error) {
    if (error instanceof errors.JWSSignatureVerificationFailed) return false;
    throw refusal(error, rules);
  }
}

/** What jose found, in our words. */
function refusal(error: unknown, { audiences }: AgentTokenRules): AuthError {
  if (error instanceof errors.JWTExpired) {
    return new AuthError(
      'token-expired',
      'the token has expired: is the clock of the device right?',
    );
  }
  const claim = error instanceof errors.JWTClaimValidationFailed ? error : undefined;
  if (claim?.claim === 'aud') {
    const known = audiences.join(', ');
    return new AuthError('audience-wrong', `the token is for another relay; this one is ${known}`);
  }
  if (claim?.claim === 'nbf' && claim.reason === 'check_failed') {
    return new AuthError('token-not-yet-valid', 'the token is not valid yet');
  }
  return new AuthError('token-malformed', 'the token is not one that an agent makes');
}

function checkLifetime({ iat, exp }: Claims, rules: AgentTokenRules): void {
  if (iat > rules.now / 1000 + rules.leewaySeconds) {
    throw new AuthError(
      'token-not-yet-valid',
      'the token was made in the future: is the clock of the device right?',
    );
  }
  if (iat < Math.floor((rules.madeSince ?? 0) / 1_000)) {
    throw new AuthError('token-replayed', 'the token was made before this relay started');
  }
  if (exp - iat > rules.maxAgeSeconds) {
    throw new AuthError(
      'lifetime-too-long',
      `the token lives longer than ${rules.maxAgeSeconds} seconds`,
    );
  }
}
