import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { SignJWT, UnsecuredJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { verifyAgentToken } from './agent-token.ts';
import { parseDeviceKey } from './device-key.ts';

const now = 1_800_000_000_000;
const seconds = now / 1_000;
const device = generateKeyPairSync('ed25519');
const next = generateKeyPairSync('ed25519');
const other = generateKeyPairSync('ed25519');

function publicText(key: KeyObject): string {
  return `ed25519:${key.export({ format: 'jwk' }).x}`;
}

const claims = {
  sub: 'plant-7',
  inst: 'main',
  aud: 'relay.example:8080',
  iat: seconds,
  exp: seconds + 300,
  jti: 'one',
};

function sign(
  changes: Record<string, unknown> = {},
  header: Record<string, unknown> = {},
  key = device.privateKey,
): Promise<string> {
  return new SignJWT({ ...claims, ...changes })
    .setProtectedHeader({ alg: 'EdDSA', typ: 'JWT', ...header })
    .sign(key);
}

const keys = {
  current: parseDeviceKey(publicText(device.publicKey)),
  next: parseDeviceKey(publicText(next.publicKey)),
};

function verify(
  token: string | undefined,
  audiences = ['localhost:8080', 'relay.example:8080'],
  madeSince?: number,
) {
  return verifyAgentToken(token, {
    keysOf: async (id) => (id === 'plant-7' ? keys : undefined),
    audiences,
    now,
    maxAgeSeconds: 300,
    leewaySeconds: 30,
    madeSince,
  });
}

async function codeOf(token: string | undefined): Promise<string> {
  return verify(token).then(
    () => 'accepted',
    (error: { code: string }) => error.code,
  );
}

describe('an agent token', () => {
  it('says who dials', async () => {
    expect(await verify(await sign())).toEqual({
      device: 'plant-7',
      instance: 'main',
      keyId: parseDeviceKey(publicText(device.publicKey))?.keyId,
      publicKey: publicText(device.publicKey),
      signedBy: 'key',
      tokenId: 'one',
      expiresAt: seconds + 300,
    });
  });

  it('of the next key says so', async () => {
    expect(await verify(await sign({}, {}, next.privateKey))).toMatchObject({
      publicKey: publicText(next.publicKey),
      signedBy: 'next-key',
    });
  });

  it('made in an earlier second than the relay remembers is refused, in the same one it is not', async () => {
    const made = async (iat: number) =>
      verify(await sign({ iat, exp: iat + 60 }), undefined, (seconds - 5) * 1_000 + 900).then(
        () => 'accepted',
        (error: { code: string }) => error.code,
      );
    expect(await made(seconds - 6)).toBe('token-replayed');
    expect(await made(seconds - 5)).toBe('accepted');
  });

  it.each([
    ['accepted', { aud: ['elsewhere', 'localhost:8080'] }],
    ['accepted', { iat: seconds + 30, exp: seconds + 330 }],
    ['accepted', { iat: seconds - 320, exp: seconds - 29 }],
    ['token-expired', { iat: seconds - 331, exp: seconds - 31 }],
    ['token-not-yet-valid', { iat: seconds + 31, exp: seconds + 100 }],
    ['token-not-yet-valid', { nbf: seconds + 31 }],
    ['lifetime-too-long', { exp: seconds + 301 }],
    ['audience-wrong', { aud: 'relay.example' }],
    ['audience-wrong', { aud: 'RELAY.example:8080' }],
    ['audience-wrong', { aud: [] }],
    ['audience-wrong', { aud: undefined }],
    ['device-unknown', { sub: 'plant-8' }],
    ['token-malformed', { sub: 'plant/7' }],
    ['token-malformed', { sub: 7 }],
    ['token-malformed', { sub: undefined }],
    ['token-malformed', { inst: '' }],
    ['token-malformed', { inst: 'a b' }],
    ['token-malformed', { iat: undefined }],
    ['token-malformed', { iat: '1' }],
    ['token-malformed', { exp: undefined }],
    ['token-malformed', { jti: undefined }],
    ['token-malformed', { nbf: 'x' }],
  ])('is %s with %j', async (code, changes) => {
    expect(await codeOf(await sign(changes))).toBe(code);
  });

  it('of another key is refused', async () => {
    expect(await codeOf(await sign({}, {}, other.privateKey))).toBe('signature-wrong');
  });

  it('that was changed after signing is refused', async () => {
    const [header, , signature] = (await sign()).split('.');
    const body = Buffer.from(JSON.stringify({ ...claims, inst: 'spare' })).toString('base64url');
    expect(await codeOf(`${header}.${body}.${signature}`)).toBe('signature-wrong');
  });

  it('without a signature is refused', async () => {
    const unsecured = new UnsecuredJWT({ ...claims }).encode();
    expect(await codeOf(unsecured)).toBe('algorithm-refused');
    expect(await codeOf(`${(await sign()).split('.').slice(0, 2).join('.')}.`)).toBe(
      'signature-wrong',
    );
  });

  it('with an HMAC whose secret is the public key is refused', async () => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
    for (const secret of [
      publicText(device.publicKey),
      device.publicKey.export({ format: 'pem', type: 'spki' }),
      Buffer.from(device.publicKey.export({ format: 'jwk' }).x ?? '', 'base64url'),
    ]) {
      const mac = createHmac('sha256', secret).update(signed).digest('base64url');
      expect(await codeOf(`${signed}.${mac}`)).toBe('algorithm-refused');
    }
  });

  it('that brings its own key is checked against ours', async () => {
    const jwk = other.publicKey.export({ format: 'jwk' });
    expect(await codeOf(await sign({}, { jwk }, other.privateKey))).toBe('signature-wrong');
  });

  it('with an extension that it calls critical, or of another type, is refused', async () => {
    const odd = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'EdDSA', typ: 'JWT', crit: ['b64'], b64: true })
      .sign(device.privateKey);
    expect(
      await codeOf(odd.replace(/^[^.]+/, (header) => recode(header, { crit: ['x'], x: 1 }))),
    ).toBe('token-malformed');
    expect(await codeOf(await sign({}, { typ: 'at+jwt' }))).toBe('token-malformed');
    expect(await codeOf(await sign({}, { typ: undefined }))).toBe('token-malformed');
  });

  it.each([
    ['token-missing', undefined],
    ['token-missing', ''],
    ['token-malformed', 'x'],
    ['token-malformed', 'a.b.c'],
    ['token-malformed', '..'],
    ['token-malformed', 'e30.e30.e30.e30.e30'],
    ['token-malformed', 'x'.repeat(100_000)],
  ])('is %s where it is %.20j', async (code, token) => {
    expect(await codeOf(token)).toBe(code);
  });

  it('never shows in the error', async () => {
    const tokens = [await sign({ exp: 1 }), await sign({}, {}, other.privateKey), 'a.b.secret'];
    for (const token of tokens) {
      const error: Error = await verify(token).then(
        () => new Error('accepted'),
        (refusal: Error) => refusal,
      );
      expect(error.name).toBe('AuthError');
      const last = token.split('.').at(-1) ?? token;
      expect(`${error.stack} ${String(error.cause)}`).not.toContain(last);
    }
  });
});

function recode(header: string, more: object): string {
  const old = JSON.parse(Buffer.from(header, 'base64url').toString());
  return Buffer.from(JSON.stringify({ ...old, ...more })).toString('base64url');
}

describe('a device key', () => {
  it('is read from its text', () => {
    expect(parseDeviceKey(publicText(device.publicKey))?.key.equals(device.publicKey)).toBe(true);
  });

  it('has an id that only its bytes make', () => {
    const [one, two] = [device, other].map((pair) => parseDeviceKey(publicText(pair.publicKey)));
    expect(one?.keyId).toMatch(/^[A-Za-z0-9_-]{16}$/);
    expect(one?.keyId).not.toBe(two?.keyId);
  });

  it.each([
    '',
    'ed25519:',
    'ed25519:AAAA',
    `ed25519:${'A'.repeat(42)}B`,
    `ed25519:${'A'.repeat(44)}`,
    `ED25519:${'A'.repeat(43)}`,
    `ed25519:${'A'.repeat(43)}\n`,
    `rsa:${'A'.repeat(43)}`,
  ])('is not %j', (text) => {
    expect(parseDeviceKey(text)).toBeUndefined();
  });
});
