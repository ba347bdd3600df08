import { jwtVerify, SignJWT } from 'jose';

const issuer = 'pullwire-relay';
const subject = 'reply-channel';
const lifeSeconds = 60;
const leewaySeconds = 30;

/** A token with which a function of ours dials the relay's own WebSocket API (JWT with HS256, RFC 7519). */
export function channelToken(key: Uint8Array, audience: string, nowMs: number): Promise<string> {
  const now = Math.floor(nowMs / 1_000);
  return new SignJWT()
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setIssuer(issuer)
    .setSubject(subject)
    .setAudience(audience)
    .setIssuedAt(now)
    .setExpirationTime(now + lifeSeconds)
    .sign(key);
}

/** Whether the token is one of `channelToken`, for this audience, and still valid. Never throws. */
export async function isChannelToken(
  token: string,
  key: Uint8Array,
  audience: string,
  nowMs: number,
): Promise<boolean> {
  try {
    const { payload } = await jwtVerify(token, key, {
      algorithms: ['HS256'],
      typ: 'JWT',
      issuer,
      subject,
      audience,
      requiredClaims: ['iat', 'exp'],
      clockTolerance: leewaySeconds,
      maxTokenAge: lifeSeconds,
      currentDate: new Date(nowMs),
    });
    return payload.sub === subject;
  } catch {
    return false; // whatever is wrong with it: it is not ours
  }
}
