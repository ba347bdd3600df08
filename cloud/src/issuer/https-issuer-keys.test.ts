import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ManualClock } from '@pullwire/shared/manual-clock';
import { jwtVerify, SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { HttpsIssuerKeys } from './https-issuer-keys.ts';

const [one, two] = [generateKeyPairSync('ed25519'), generateKeyPairSync('ed25519')];
const minute = 60_000;

let server: Server;
let issuer: string;
/** Paths that were asked for. */
let asked: string[];
let published: Record<string, KeyObject>;
/** What the next requests get in place of an honest answer. */
let instead: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;
let clock: ManualClock;
let keys: HttpsIssuerKeys;

beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(request.url ?? '');
    if (instead !== undefined) return instead(request, response);
    const document =
      request.url === '/keys'
        ? { keys: Object.entries(published).map(([kid, key]) => toJwk(kid, key)) }
        : { issuer, jwks_uri: `${issuer}/keys` };
    response.end(JSON.stringify(document));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

beforeEach(() => {
  [asked, published, instead] = [[], { one: one.publicKey }, undefined];
  clock = new ManualClock();
  keys = new HttpsIssuerKeys({ config: { issuer }, clock });
});

const toJwk = (kid: string, key: KeyObject): object => ({ ...key.export({ format: 'jwk' }), kid });
const fetches = (): number => asked.filter((path) => path === '/keys').length;

/** `known`, or the name of the error with which a token of this key is refused. */
async function verdict(kid: string, key: KeyObject = one.privateKey): Promise<string> {
  const token = await new SignJWT().setProtectedHeader({ alg: 'EdDSA', kid }).sign(key);
  return jwtVerify(token, keys.find).then(
    () => 'known',
    (error: Error) => error.name,
  );
}

function answer(status: number, body: string, headers: Record<string, string> = {}): void {
  instead = (_, response) => void response.writeHead(status, headers).end(body);
}

describe("an issuer's keys", () => {
  it('are found by its document, once for all who ask', async () => {
    const verdicts = await Promise.all([verdict('one'), verdict('one'), verdict('one')]);
    expect(verdicts).toEqual(['known', 'known', 'known']);
    expect(await verdict('one', two.privateKey)).toBe('JWSSignatureVerificationFailed');
    expect(asked).toEqual(['/.well-known/openid-configuration', '/keys']);
  });

  it('are read where the operator says, without the document', async () => {
    keys = new HttpsIssuerKeys({ config: { issuer, jwksUri: `${issuer}/keys` }, clock });
    expect(await verdict('one')).toBe('known');
    expect(asked).toEqual(['/keys']);
  });

  it('are asked for again when a token names one that is not among them', async () => {
    await verdict('one');
    published = { two: two.publicKey };
    clock.advance(30_000);
    expect(await verdict('two', two.privateKey)).toBe('known');
    expect(await verdict('one')).toBe('JWKSNoMatchingKey');
    expect(fetches()).toBe(2);
  });

  it('cost one question a pause, however many tokens name keys that nobody knows', async () => {
    await verdict('one');
    const guess = (count: number) =>
      Promise.all(Array.from({ length: count }, (_, at) => verdict(`guess-${at}`)));
    await guess(1_000);
    expect(fetches()).toBe(1);
    clock.advance(30_000);
    expect(new Set(await guess(1_000))).toEqual(new Set(['JWKSNoMatchingKey']));
    expect(fetches()).toBe(2);
    expect(await verdict('one')).toBe('known');
  });

  it('are refreshed behind the answer, and go on while the issuer is down, for an hour', async () => {
    await verdict('one');
    answer(500, 'down');
    clock.advance(5 * minute);
    expect(await verdict('one')).toBe('known');
    for (let at = 10; at < 60; at += 10) {
      clock.advance(10 * minute);
      expect(await verdict('one')).toBe('known');
    }
    clock.advance(10 * minute);
    expect(await verdict('one')).toBe('IssuerUnavailable');
    instead = undefined;
    expect(await verdict('one')).toBe('IssuerUnavailable');
    clock.advance(5_000);
    expect(await verdict('one')).toBe('known');
  });

  it('that were withdrawn are refused once they were read again', async () => {
    await verdict('one');
    published = { two: two.publicKey };
    clock.advance(60 * minute);
    expect(await verdict('one')).toBe('JWKSNoMatchingKey');
  });

  it('that cannot be had are asked for once in a while, not for each token', async () => {
    answer(503, '');
    const verdicts = await Promise.all(Array.from({ length: 100 }, () => verdict('one')));
    expect(new Set(verdicts)).toEqual(new Set(['IssuerUnavailable']));
    await verdict('one');
    expect(asked.length).toBe(1);
    clock.advance(5_000);
    instead = undefined;
    expect(await verdict('one')).toBe('known');
  });

  it('are unknown, not wrong, where the issuer is down when a new one is named', async () => {
    await verdict('one');
    clock.advance(30_000);
    answer(500, '');
    expect(await verdict('two', two.privateKey)).toBe('IssuerUnavailable');
    expect(await verdict('one')).toBe('known');
  });

  it('go on after the clock was set back', async () => {
    clock.advance(10 * minute);
    await verdict('one');
    clock.advance(-5 * minute);
    published = { two: two.publicKey };
    expect(await verdict('two', two.privateKey)).toBe('known');
  });

  it.each([
    [
      'of another issuer',
      () => JSON.stringify({ issuer: `${issuer}/`, jwks_uri: `${issuer}/keys` }),
    ],
    ['without the place of keys', () => JSON.stringify({ issuer })],
    ['with keys in a file', () => JSON.stringify({ issuer, jwks_uri: 'file:///etc/passwd' })],
    ['with keys in the clear', () => JSON.stringify({ issuer, jwks_uri: 'http://192.0.2.1/' })],
    ['that is no JSON', () => '<html>'],
    ['that is no object', () => 'null'],
    ['that is too large', () => JSON.stringify({ issuer, more: 'x'.repeat(300_000) })],
  ])('are not believed by a document %s', async (_, body) => {
    answer(200, body());
    expect(await verdict('one')).toBe('IssuerUnavailable');
    expect(asked.length).toBe(1);
  });

  it.each([
    ['a redirect', 302, '', { location: '/keys' }],
    ['another status', 203, '{"keys":[]}', {}],
    ['no list of keys', 200, '{"keys":{}}', {}],
  ])('are not believed by %s', async (_, status, body, headers) => {
    keys = new HttpsIssuerKeys({ config: { issuer, jwksUri: `${issuer}/moved` }, clock });
    answer(status, body, headers);
    expect(await verdict('one')).toBe('IssuerUnavailable');
    expect(asked).toEqual(['/moved']);
  });

  it.each(['the head', 'the rest'])('are given up where %s does not come', async (what) => {
    const begun = new Promise<void>((resolve) => {
      instead = (_, response) => {
        if (what === 'the rest') response.write('{');
        resolve();
      };
    });
    const pending = verdict('one');
    await begun;
    clock.advance(5_000);
    expect(await pending).toBe('IssuerUnavailable');
    expect(clock.pending).toBe(0);
  });
});
