import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createLocalJWKSet, type JWK, SignJWT, UnsecuredJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import type { IssuerConfig } from '../config/issuer-config.ts';
import { generateCallerKey } from './caller-key.ts';
import { IssuerUnavailable } from './issuer-keys.ts';
import { Issuers } from './issuers.ts';

const now = 1_800_000_000_000;
const seconds = now / 1_000;
const ours = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const others = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const device = generateKeyPairSync('ed25519');

const jwk = (key: KeyObject, kid: string): JWK =>
  ({ ...key.export({ format: 'jwk' }), kid }) as JWK;
const grant = { devices: ['plant-*'], sources: ['*'], methods: ['GET'] };
const config: IssuerConfig = {
  issuer: 'https://a.example',
  audience: 'pullwire',
  algorithms: ['RS256', 'EdDSA'],
  agents: { device: 'sub', instance: 'inst', labels: { site: 'site_claim' } },
  callers: {
    name: 'email',
    grants: [
      { ...grant, when: { groups: 'ops' } },
      { ...grant, devices: ['office'], when: { groups: 'ops', verified: true } },
      { ...grant, devices: ['lobby'], when: {} },
    ],
  },
};
const keySets: Record<string, JWK[]> = {
  'https://a.example': [jwk(ours.publicKey, 'a1'), jwk(ec.publicKey, 'a2')],
  'https://b.example': [jwk(others.publicKey, 'b1')],
};
const issuers = new Issuers({
  issuers: [
    config,
    { ...config, issuer: 'https://b.example', agents: undefined },
    { ...config, issuer: 'https://c.example', callers: undefined },
    { ...config, issuer: 'https://down.example' },
  ],
  keysOf: ({ issuer }) => ({
    find: async (header, token) => {
      if (issuer.includes('down')) throw new IssuerUnavailable('down', 4_000);
      return createLocalJWKSet({ keys: keySets[issuer] ?? [] })(header, token);
    },
  }),
});

const claims = {
  iss: 'https://a.example',
  sub: 'plant-7',
  aud: 'pullwire',
  iat: seconds,
  exp: seconds + 3_600,
  email: 'ops@example.com',
  groups: ['ops', 'staff'],
};

function sign(
  changes: Record<string, unknown> = {},
  header: Record<string, unknown> = {},
  key: KeyObject = ours.privateKey,
): Promise<string> {
  return new SignJWT({ ...claims, ...changes })
    .setProtectedHeader({ alg: 'RS256', kid: 'a1', ...header })
    .sign(key);
}

/** What both doors say of a token. */
async function verdict(token: string): Promise<string> {
  const ask = (door: 'agent' | 'caller') =>
    issuers[door](token, now).then(
      (found) => (found === undefined ? 'none' : 'accepted'),
      (error: { code: string }) => error.code,
    );
  const [agent, caller] = await Promise.all([ask('agent'), ask('caller')]);
  return agent === caller ? agent : `${agent} ${caller}`;
}

describe("an issuer's token", () => {
  it('speaks for the device that it names', async () => {
    const token = await sign({ inst: 'spare', site_claim: 'north', other: 'x' }, { typ: 'JWT' });
    expect(await issuers.agent(token, now)).toEqual({
      issuer: 'https://a.example',
      device: 'plant-7',
      instance: 'spare',
      labels: { site: 'north' },
      expiresAt: seconds + 3_600,
    });
    expect(await issuers.agent(await sign(), now)).toMatchObject({ instance: 'main', labels: {} });
  });

  it('is a caller with the grants that its claims bring', async () => {
    const caller = await issuers.caller(await sign({}, { typ: 'at+jwt' }), now);
    expect(caller).toEqual({
      id: expect.stringMatching(/^iss_[\w-]{22}$/),
      name: 'ops@example.com',
      grants: [grant, { ...grant, devices: ['lobby'] }],
      expiresAt: seconds + 3_600,
    });
    const later = await issuers.caller(await sign({ iat: seconds - 5 }), now);
    expect(later?.id).toBe(caller?.id);
    expect((await issuers.caller(await sign({ sub: 'eve' }), now))?.id).not.toBe(caller?.id);
  });

  it.each([
    [{ groups: 'ops' }, ['plant-*', 'lobby']],
    [{ groups: ['ops'], verified: true }, ['plant-*', 'office', 'lobby']],
    [{ groups: ['ops'], verified: 'true' }, ['plant-*', 'lobby']],
    [{ groups: 'not-ops' }, ['lobby']],
    [{ groups: 'ops staff' }, ['lobby']],
    [{ groups: ['OPS', 'ops '] }, ['lobby']],
    [{ groups: { ops: true } }, ['lobby']],
    [{ groups: [['ops']] }, ['lobby']],
    [{ groups: undefined }, ['lobby']],
  ])('with %j is granted %j', async (changes, devices) => {
    const caller = await issuers.caller(await sign(changes), now);
    expect(caller?.grants.flatMap((granted) => granted.devices)).toEqual(devices);
  });

  it.each([
    ['accepted', {}, {}],
    ['accepted', { aud: ['mail', 'pullwire'] }, {}],
    ['accepted', { iat: seconds + 30, exp: seconds + 60 }, {}],
    ['accepted', { exp: seconds + 86_400 }, {}],
    ['accepted', {}, { kid: undefined }],
    ['audience-wrong', { aud: 'mail' }, {}],
    ['audience-wrong', { aud: ['pullwire.example'] }, {}],
    ['audience-wrong', { aud: undefined }, {}],
    ['token-expired', { exp: seconds }, {}],
    ['token-expired', { iat: seconds - 100, exp: seconds - 20 }, {}],
    ['token-expired', { iat: seconds - 7_200, exp: seconds - 3_600 }, {}],
    ['token-not-yet-valid', { nbf: seconds + 31 }, {}],
    ['token-not-yet-valid', { iat: seconds + 31 }, {}],
    ['lifetime-too-long', { exp: seconds + 86_401 }, {}],
    ['token-malformed', { exp: undefined }, {}],
    ['token-malformed', { exp: '1800003600' }, {}],
    ['token-malformed', { iat: undefined }, {}],
    ['signature-wrong', {}, { kid: 'unknown' }],
    ['signature-wrong', {}, { kid: 'b1' }],
    ['token-malformed', {}, { typ: 'logout+jwt' }],
    ['token-malformed', {}, { typ: 'pullwire-key+jwt' }],
    ['token-malformed', {}, { jwk: jwk(others.publicKey, 'a1') }],
    ['token-malformed', {}, { jku: 'https://b.example/keys' }],
    ['token-malformed', {}, { x5u: 'https://b.example/cert' }],
    ['token-malformed', {}, { x5c: ['MIIB'] }],
    ['token-malformed', {}, { crit: ['b64'], b64: true }],
    ['none', { iss: 'https://a.example/' }, {}],
    ['none', { iss: 'https://A.example' }, {}],
    ['none', { iss: 'https://unknown.example' }, {}],
    ['none', { iss: undefined }, {}],
    ['none', { iss: 7 }, {}],
    ['none', { iss: 'constructor' }, {}],
  ])('is %s with %j and the header %j', async (code, changes, header) => {
    expect(await verdict(await sign(changes, header))).toBe(code);
  });

  it.each([
    ['sub', undefined],
    ['sub', 'plant/7'],
    ['sub', 'plant-7#link'],
    ['sub', 7],
    ['sub', ['plant-7']],
    ['inst', 'a b'],
    ['inst', ''],
    ['site_claim', 'x\ny'],
    ['site_claim', 'x'.repeat(257)],
  ])('speaks for no device where %s is %j', async (claim, value) => {
    await expect(issuers.agent(await sign({ [claim]: value }), now)).rejects.toMatchObject({
      code: 'token-malformed',
      message: expect.stringContaining(`"${claim}"`),
    });
  });

  it.each([
    ['email', undefined],
    ['email', ''],
    ['email', 'ops\u2028'],
    ['email', 'x'.repeat(257)],
    ['email', { toString: 1 }],
    ['sub', undefined],
  ])('is no caller where %s is %j', async (claim, value) => {
    await expect(issuers.caller(await sign({ [claim]: value }), now)).rejects.toMatchObject({
      code: 'token-malformed',
    });
  });

  it('is checked with the keys of its own issuer only', async () => {
    const forged = [
      await sign({}, { kid: 'b1' }, others.privateKey),
      await sign({}, { kid: 'a1' }, others.privateKey),
      await sign({ iss: 'https://b.example' }, { kid: 'a1' }, ours.privateKey),
    ];
    for (const token of forged) {
      expect(await verdict(token)).toMatch(/signature-wrong$/);
    }
  });

  it('of an algorithm that is not pinned is refused, whatever key signed it', async () => {
    expect(await verdict(new UnsecuredJWT(claims).encode())).toBe('algorithm-refused');
    expect(await verdict(await sign({}, { alg: 'ES256', kid: 'a2' }, ec.privateKey))).toBe(
      'algorithm-refused',
    );
    expect(await verdict(await sign({}, { alg: 'PS256' }))).toBe('algorithm-refused');
    expect(await verdict(await sign({}, { alg: 'EdDSA' }, device.privateKey))).toBe(
      'signature-wrong',
    );
  });

  it('with an HMAC whose secret is the public key is refused', async () => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const text = `${part({ alg: 'HS256', kid: 'a1' })}.${part(claims)}`;
    const secret = ours.publicKey.export({ format: 'pem', type: 'spki' });
    const mac = createHmac('sha256', secret).update(text).digest('base64url');
    expect(await verdict(`${text}.${mac}`)).toBe('algorithm-refused');
  });

  it('that was changed, cut or padded is refused', async () => {
    const [header = '', payload = '', signature = ''] = (await sign()).split('.');
    const more = Buffer.from(JSON.stringify({ ...claims, sub: 'plant-8' })).toString('base64url');
    expect(await verdict(`${header}.${more}.${signature}`)).toBe('signature-wrong');
    expect(await verdict(`${header}.${payload}.`)).toBe('signature-wrong');
    for (const text of [
      `${header}.${payload}`,
      `${header}.${payload}.${signature}=`,
      '',
      'a.b.c',
    ]) {
      expect(await verdict(text)).toBe('none');
    }
    expect(await verdict(await sign({ more: 'x'.repeat(8_192) }))).toBe('none');
  });

  it('is good only for what its issuer is trusted with', async () => {
    const b = await sign({ iss: 'https://b.example' }, { kid: 'b1' }, others.privateKey);
    await expect(issuers.agent(b, now)).rejects.toMatchObject({ code: 'device-unknown' });
    expect(await issuers.caller(b, now)).toMatchObject({ name: 'ops@example.com' });
    const c = await sign({ iss: 'https://c.example' });
    await expect(issuers.caller(c, now)).rejects.toMatchObject({ code: 'key-unknown' });
  });

  it('of an issuer that is down cannot be checked: 503, and not 401', async () => {
    const token = await sign({ iss: 'https://down.example' });
    await expect(issuers.caller(token, now)).rejects.toMatchObject({
      code: 'registry-unavailable',
      status: 503,
      retryAfterMs: 4_000,
    });
  });

  it('is neither a device’s own token nor a key of a caller', async () => {
    const handshake = await new SignJWT({ inst: 'main', jti: 'one' })
      .setProtectedHeader({ alg: 'EdDSA', typ: 'JWT' })
      .setSubject('plant-7')
      .setAudience('pullwire')
      .setIssuedAt(seconds)
      .setExpirationTime(seconds + 60)
      .sign(device.privateKey);
    expect(await verdict(handshake)).toBe('none');
    expect(await verdict(generateCallerKey().key)).toBe('none');
  });

  it('never shows in an error', async () => {
    for (const token of [await sign({ exp: 1 }), await sign({}, {}, others.privateKey)]) {
      const error: Error = await issuers.caller(token, now).then(
        () => new Error('accepted'),
        (refusal: Error) => refusal,
      );
      expect(error.name).toBe('AuthError');
      for (const part of token.split('.')) {
        expect(`${error.stack} ${String(error.cause)}`).not.toContain(part);
      }
    }
  });
});
