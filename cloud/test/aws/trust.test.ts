import { generateKeyPairSync } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateEnrolCode, hashEnrolCode } from '../../src/enroll/enrol-code.ts';
import { StrictClient } from '../gateway/strict-client.ts';
import { SigningDevice } from '../signing-device.ts';
import { AwsWorld } from './aws-world.ts';

/** One key of an issuer, found by its document. */
const issuerKey = generateKeyPairSync('ed25519');
let issuer: Server;
let issuerUrl = '';
let world: AwsWorld;

beforeAll(async () => {
  issuer = createServer((request, response) => {
    const keys = [{ ...issuerKey.publicKey.export({ format: 'jwk' }), kid: '1', alg: 'EdDSA' }];
    const document = { issuer: issuerUrl, jwks_uri: `${issuerUrl}/keys` };
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify(request.url === '/keys' ? { keys } : document));
  });
  await new Promise<void>((resolve) => issuer.listen(0, '127.0.0.1', resolve));
  issuerUrl = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}`;
  const grants = [{ devices: ['vouched-*'], sources: ['*'], methods: ['GET'] }];
  const callers = { grants: [{ ...grants[0], when: { groups: 'ops' } }] };
  const agents = { device: 'sub', labels: { site: 'site' } };
  world = await AwsWorld.start({
    issuers: [{ issuer: issuerUrl, audience: 'pullwire', agents, callers }],
  });
});
afterAll(async () => {
  await world?.stop();
  issuer?.close();
  issuer?.closeAllConnections();
});

const audience = () => new URL(world.linkUrl).host;
const dialWith = (token: string) =>
  StrictClient.dial(world.linkUrl, { headers: { Authorization: `Bearer ${token}` } });
const dial = async (device: SigningDevice, instance?: string) =>
  dialWith(await device.token(audience(), instance));

/** A device that is known. */
async function known(name: string): Promise<SigningDevice> {
  const device = new SigningDevice(name);
  await world.addDevice(name, device.publicKey);
  return device;
}

/** Says hello, and takes what is answered: the names of so many messages. */
async function greet(client: StrictClient, device: string, answers = 1, instance = 'main') {
  const more = { sources: [], labels: {}, features: ['rotate'] };
  client.send({ action: 'hello', version: 1, agent: 'a/1', device, instance, ...more });
  const said: string[] = [];
  for (let i = 0; i < answers; i += 1) {
    said.push((JSON.parse(await client.next()) as { action: string }).action);
  }
  return said;
}

async function offer(client: StrictClient, device: string, next: SigningDevice): Promise<unknown> {
  const proof = await next.proof(`rotate:${device}`);
  client.send({ action: 'rotate', publicKey: next.publicKey, proof });
  return JSON.parse(await client.next());
}

function enroll(body: object): Promise<Response> {
  const headers = { 'Content-Type': 'application/json' };
  return fetch(`${world.url}/enroll`, { method: 'POST', headers, body: JSON.stringify(body) });
}

async function code(device?: string): Promise<string> {
  const made = generateEnrolCode();
  const expiresAt = Math.ceil(Date.now() / 1_000) + 60;
  await world.registry.addEnrolCode({
    id: made.id,
    hash: made.hash,
    ...(device === undefined ? {} : { device }),
    labels: { site: 'north' },
    createdAt: Date.now(),
    expiresAt,
  });
  return made.code;
}

describe('a handshake on AWS', () => {
  it('takes a token once, though it is within its time', async () => {
    const token = await (await known('replayed')).token(audience());
    const first = await dialWith(token);
    await expect(dialWith(token)).rejects.toMatchObject({ status: 401 });
    expect(await greet(first, 'replayed')).toEqual(['welcome']);
  });

  it('of a revoked device is 403, and of a stranger who names it 401', async () => {
    const device = await known('revoked');
    await world.registry.revokeDevice('revoked', { at: Date.now(), why: 'stolen' });
    await expect(dial(device)).rejects.toMatchObject({ status: 403 });
    await expect(dial(new SigningDevice('revoked'))).rejects.toMatchObject({ status: 401 });
  });

  it('by an issuer’s token makes its device known, with the labels of the token', async () => {
    const sign = (claims: object) =>
      new SignJWT({ iss: issuerUrl, aud: 'pullwire', ...claims })
        .setProtectedHeader({ alg: 'EdDSA', kid: '1', typ: 'JWT' })
        .setIssuedAt()
        .setExpirationTime('5m')
        .sign(issuerKey.privateKey);
    const token = await sign({ sub: 'vouched-1', site: 'south' });
    const client = await dialWith(token);
    expect(await greet(client, 'vouched-1')).toEqual(['welcome']);
    expect(await world.registry.deviceRecord('vouched-1')).toMatchObject({
      publicKey: `issuer:${issuerUrl}`,
      labels: { site: 'south' },
    });
    await dialWith(token); // as often as it likes
    await known('own-key');
    await expect(dialWith(await sign({ sub: 'own-key' }))).rejects.toMatchObject({ status: 401 });
    const ask = async (groups: string[]) => {
      const caller = await sign({ sub: 'somebody', groups });
      const headers = { Authorization: `Bearer ${caller}` };
      const answer = await fetch(`${world.url}/devices`, { headers });
      return ((await answer.json()) as { devices: unknown[] }).devices.length;
    };
    expect([await ask(['ops']), await ask(['guests'])]).toEqual([1, 0]);
  });
});

describe('another key on AWS', () => {
  it('is asked for after the welcome, noted, and takes over with the first handshake it signs', async () => {
    const device = await known('rotating');
    await world.registry.askRotation('rotating', Date.now());
    const old = await dial(device);
    expect(await greet(old, 'rotating', 2)).toEqual(['welcome', 'rotate']);
    const next = new SigningDevice('rotating');
    const rotated = { action: 'rotated', publicKey: next.publicKey };
    expect(await offer(old, 'rotating', next)).toEqual(rotated);
    const between = await dial(device); // the old one holds until the next one was used
    const client = await dial(next);
    await expect(dial(device)).rejects.toMatchObject({ status: 401 });
    const late = new SigningDevice('rotating');
    expect(await offer(between, 'rotating', late)).toMatchObject({ refused: 'superseded' });
    expect(await greet(client, 'rotating')).toEqual(['welcome']);
    expect(await world.registry.deviceRecord('rotating')).toEqual({
      device: 'rotating',
      publicKey: next.publicKey,
      labels: {},
      createdAt: expect.any(Number),
    });
  });

  it('is refused where another instance shares the one that there is', async () => {
    const device = await known('shared');
    const [one, two] = [await dial(device, 'main'), await dial(device, 'spare')];
    await greet(one, 'shared');
    await greet(two, 'shared', 1, 'spare');
    const refused = await offer(one, 'shared', new SigningDevice('shared'));
    expect(refused).toMatchObject({ refused: 'other-instances' });
  });
});

describe('enrolment on AWS', () => {
  it('brings a key, tells where to dial, and leaves what happened in the log', async () => {
    const device = new SigningDevice('fresh');
    const secret = await code('fresh');
    const { publicKey } = device;
    const proof = await device.proof(`enroll:${hashEnrolCode(secret)}`);
    const answer = await enroll({ code: secret, publicKey, proof });
    expect(answer.status).toBe(201);
    expect(await answer.json()).toEqual({
      device: 'fresh',
      labels: { site: 'north' },
      linkUrl: world.linkUrl,
    });
    expect(await greet(await dial(device), 'fresh')).toEqual(['welcome']);
    const thief = new SigningDevice('fresh');
    const theirs = await thief.proof(`enroll:${hashEnrolCode(secret)}`);
    const spent = await enroll({ code: secret, publicKey: thief.publicKey, proof: theirs });
    expect(spent.status).toBe(401);
    const lines = world.log.filter(({ msg }) => /enrol/.test(String(msg)));
    expect(lines).toMatchObject([
      { msg: 'device enrolled', device: 'fresh', remoteAddress: '127.0.0.1' },
      { msg: 'enrolment refused', reason: 'spent', remoteAddress: '127.0.0.1' },
    ]);
    expect(JSON.stringify(world.log)).not.toContain(secret);
  });
});

describe('a caller’s key on AWS', () => {
  it('has its use noted before the function stands still, and not again within the hour', async () => {
    const key = await world.addKey();
    const ask = async () =>
      (await fetch(`${world.url}/devices`, { headers: { 'Pullwire-Key': key } })).status;
    expect(await ask()).toBe(200);
    await world.gateway.settled();
    const [id = ''] = [key.split('_')[1]];
    const record = async () =>
      (await world.registry.keys({ limit: 100 })).items.find((each) => each.id === id);
    const used = (await record())?.lastUsedAt;
    expect(used).toBeGreaterThan(Date.now() - 60_000);
    expect(await ask()).toBe(200);
    expect((await record())?.lastUsedAt).toBe(used);
  });
});
