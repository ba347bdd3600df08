import { generateKeyPairSync, verify } from 'node:crypto';
import { expect, it } from 'vitest';
import { deviceToken } from './device-token.ts';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const claims = {
  device: 'bench-1',
  instance: 'i-7',
  audience: '127.0.0.1:8080',
  now: 1_800_000_000_500,
};

it('a handshake token is signed by the device and says what PROTOCOL.md asks for', () => {
  const [head = '', body = '', signature = ''] = deviceToken(privateKey, claims).split('.');
  const read = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString());
  expect(read(head)).toEqual({ alg: 'EdDSA', typ: 'JWT' });
  expect(read(body)).toEqual({
    sub: 'bench-1',
    inst: 'i-7',
    aud: '127.0.0.1:8080',
    iat: 1_800_000_000,
    exp: 1_800_000_120,
    jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
  });
  const signed = Buffer.from(`${head}.${body}`);
  expect(verify(null, signed, publicKey, Buffer.from(signature, 'base64url'))).toBe(true);
});

it('no two tokens have the same id', () => {
  expect(deviceToken(privateKey, claims)).not.toBe(deviceToken(privateKey, claims));
});
