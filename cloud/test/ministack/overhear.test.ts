import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { ClientFrames } from './client-frames.ts';
import { formOf } from './secret-form.ts';

/** What a client puts on the wire, masked, when it sends these. */
async function wireOf(payloads: readonly Buffer[]): Promise<Buffer> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
  await once(server, 'listening');
  const chunks: Buffer[] = [];
  server.on('connection', (_socket, request) => {
    // A copy: `ws` takes the mask off in place.
    request.socket.prependListener('data', (chunk: Buffer) => chunks.push(Buffer.from(chunk)));
  });
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const [accepted] = (await once(server, 'connection')) as [WebSocket];
  await once(client, 'open');
  for (const payload of payloads) client.send(payload);
  for (const _ of payloads) await once(accepted, 'message');
  client.terminate();
  server.close();
  return Buffer.concat(chunks);
}

describe('what a client says over a WebSocket', () => {
  it.each([0, 1, 125, 126, 200, 65_535, 65_536])(
    'is read without its mask, %i bytes in any pieces',
    async (size) => {
      const payload = randomBytes(size);
      const wire = await wireOf([payload]);
      const heard: Buffer[] = [];
      const frames = new ClientFrames((each) => heard.push(each));
      const twice = Buffer.concat([wire, wire]);
      const step = Math.max(1, Math.ceil(twice.length / 9));
      for (let at = 0; at < twice.length; at += step) frames.pass(twice.subarray(at, at + step));
      expect(heard).toEqual([payload, payload]);
    },
  );
});

/** A key that reads differently in base64 and base64url: one in four has no letter in which they differ. */
function tellingKey() {
  for (;;) {
    const { privateKey } = generateKeyPairSync('ed25519');
    const secret = Buffer.from(privateKey.export({ format: 'jwk' }).d ?? '', 'base64url');
    if (/[+/]/.test(secret.toString('base64').slice(0, 42))) return { privateKey, secret };
  }
}

describe('a secret', () => {
  const { privateKey, secret } = tellingKey();
  const der = privateKey.export({ format: 'der', type: 'pkcs8' });
  const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();

  it.each([
    ['raw', `x${secret.toString('latin1')}x`],
    ['hex', `x${secret.toString('hex')}x`],
    ['HEX', secret.toString('hex').toUpperCase()],
    ['base64', secret.toString('base64')],
    ['base64url', `{"d":"${secret.toString('base64url')}"}`],
    ['base64', pem],
    ['base64', JSON.stringify({ pem })],
    ['hex', der.toString('hex')],
  ])('is found as %s', (form, text) => {
    expect(formOf(secret, text)).toBe(form);
  });

  it.each([0, 1, 2, 3])('is found as base64 behind %i other bytes', (before) => {
    const text = Buffer.concat([randomBytes(before), secret, randomBytes(5)]);
    expect(formOf(secret, text.toString('base64'))).toMatch(/^base64/);
    expect(formOf(secret, text.toString('base64url'))).toMatch(/^base64/);
  });

  it('is not found where it is not', () => {
    const { publicKey } = generateKeyPairSync('ed25519');
    const other = publicKey.export({ format: 'pem', type: 'spki' }).toString();
    expect(formOf(secret, `${other}${randomBytes(2_000).toString('base64')}`)).toBeUndefined();
  });
});
