import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SigningDevice } from '../test/signing-device.ts';
import { generateCallerKey } from './auth/caller-key.ts';
import { generateEnrolCode } from './enroll/enrol-code.ts';
import { TemporaryRelay } from './server/temporary-relay.ts';

const plant = 'plant-7';

let world: TemporaryRelay;
let device: SigningDevice;

beforeEach(async () => {
  world = await TemporaryRelay.start();
  device = new SigningDevice(plant);
  await add(device);
});
afterEach(() => world.stop());

async function add({ device: id, publicKey }: SigningDevice): Promise<void> {
  await world.registry.addDevice({ device: id, publicKey, labels: {}, createdAt: Date.now() });
}

const token = (of: SigningDevice, instance?: string) => of.token(world.host, instance);
const open = async (of: SigningDevice, instance = 'main') =>
  world.link(of.device, await token(of, instance), instance);

/** Rotates the device's key over its link; the next one is noted, and not used yet. */
async function offer(link: Awaited<ReturnType<typeof open>>): Promise<SigningDevice> {
  const next = new SigningDevice(plant);
  link.say({
    action: 'rotate',
    publicKey: next.publicKey,
    proof: await next.proof(`rotate:${plant}`),
  });
  expect(await link.heard('rotated')).toEqual({ action: 'rotated', publicKey: next.publicKey });
  return next;
}

describe('a handshake', () => {
  test('tells the time when it succeeds', async () => {
    const link = await open(device);
    expect(Date.parse(String(link.upgrade?.headers.date))).toBeGreaterThan(Date.now() - 60_000);
  });

  test('takes a token once', async () => {
    const once = await token(device);
    const link = await world.link(plant, once);
    expect(await world.dial(once)).toEqual({ status: 401, code: 'link-unauthenticated' });
    expect(world.relay.snapshot().refusedHandshakes).toEqual({ 'token-replayed': 1 });
    link.close();
  });

  test('that fails too often is looked at no more, and other doors see it too', async () => {
    const stranger = new SigningDevice('nobody');
    for (let n = 0; n < 20; n += 1) await world.dial(await token(stranger));
    const refused = { status: 429, code: 'too-many-attempts' };
    expect(await world.dial(await token(device))).toEqual(refused);
    const answer = await fetch(`http://${world.host}/enroll`, { method: 'POST', body: '{}' });
    expect(answer.status).toBe(429);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(world.relay.snapshot()).toMatchObject({
      refusedHandshakes: { 'device-unknown': 20, 'too-many-attempts': 1 },
      refusedEnrolments: { throttled: 1 },
    });
  });
});

describe('a revoked device', () => {
  test('is told why, and is not let in again; another one goes on', async () => {
    const other = new SigningDevice('plant-8');
    await add(other);
    const [link, otherLink] = [await open(device), await open(other)];
    const end = { at: Date.now(), why: 'the van was stolen' };
    await world.registry.revokeDevice(plant, end);
    world.relay.registryChanged();
    expect(await link.heard('bye')).toEqual({ action: 'bye', code: 'revoked', reason: end.why });
    expect(await link.closed).toBe(4001);
    expect(await world.dial(await token(device))).toEqual({ status: 403, code: 'device-revoked' });
    otherLink.say({ action: 'keep-alive' });
    await otherLink.heard('kept-alive');
  });

  test('that enrols with a code that replaces loses the links of its old key, and no others', async () => {
    const old = await open(device);
    const { id, code, hash } = generateEnrolCode();
    const now = Date.now();
    await world.registry.addEnrolCode({
      ...{ id, hash, device: plant, replaces: true, labels: { site: 'north' } },
      createdAt: now,
      expiresAt: Math.ceil(now / 1_000) + 60,
    });
    const fresh = new SigningDevice(plant);
    const proof = await fresh.proof(`enroll:${hash}`);
    const answer = await fetch(`http://${world.host}/enroll`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ code, publicKey: fresh.publicKey, proof }),
    });
    expect(answer.status).toBe(201);
    expect(await old.heard('bye')).toMatchObject({ code: 'revoked' });
    const link = await open(fresh);
    world.relay.registryChanged();
    link.say({ action: 'keep-alive' });
    await link.heard('kept-alive');
    expect(world.relay.snapshot()).toMatchObject({ links: 1, enrolled: 1 });
  });
});

describe('a rotation', () => {
  test('is asked of a link that is open, once, and of one that opens', async () => {
    const link = await open(device);
    await world.registry.askRotation(plant, Date.now());
    world.relay.registryChanged();
    await link.heard('rotate');
    const again = await open(device, 'other');
    await again.heard('rotate');
    again.say({ action: 'keep-alive' });
    await again.heard('kept-alive');
    expect([link.unasked, again.unasked]).toEqual([[], []]);
  });

  test('ends no link when the next key takes over, whatever an operator writes at that moment', async () => {
    const link = await open(device);
    const next = await offer(link);
    // Promoted, and its link has not said hello: the registry is ahead of what the links know.
    const dialled = await world.dial(await token(next, 'other'));
    world.relay.registryChanged();
    link.say({ action: 'keep-alive' });
    await link.heard('kept-alive');
    expect(await world.registry.deviceRecord(plant)).toMatchObject({ publicKey: next.publicKey });
    world.relay.registryChanged();
    const further = await open(next, 'further');
    link.say({ action: 'keep-alive' });
    await link.heard('kept-alive');
    expect(link.unasked).toEqual([]);
    expect(await world.dial(await token(device))).toMatchObject({ status: 401 });
    further.close();
    expect('status' in dialled).toBe(false);
  });

  test('is refused where another instance would lose its key, and without a proof', async () => {
    const [link, other] = [await open(device), await open(device, 'other')];
    const next = new SigningDevice(plant);
    const proof = await next.proof(`rotate:${plant}`);
    link.say({ action: 'rotate', publicKey: next.publicKey, proof });
    expect(await link.heard('rotated')).toMatchObject({ refused: 'other-instances' });
    const foreign = await next.proof('rotate:plant-8');
    link.say({ action: 'rotate', publicKey: next.publicKey, proof: foreign });
    expect(await link.heard('rotated')).toMatchObject({ refused: 'no-proof' });
    other.close();
  });
});

describe('a flood', () => {
  test('of messages that no pull needs ends the link, and the device is not let in for a while', async () => {
    const link = await open(device);
    for (let n = 0; n < 1_000; n += 1) link.say({ action: 'keep-alive' });
    expect(await link.heard('bye')).toMatchObject({ code: 'too-many-messages' });
    expect(await world.dial(await token(device))).toEqual({
      status: 429,
      code: 'too-many-attempts',
    });
  });

  test('of pings does the same, where a few are answered', async () => {
    const link = await open(device);
    link.ping('are you there');
    expect(await link.ponged()).toBe('are you there');
    for (let n = 0; n < 1_000; n += 1) link.ping();
    expect(await link.heard('bye')).toMatchObject({ code: 'too-many-messages' });
  });
});

test('a caller that is refused is counted by the reason', async () => {
  const get = (headers: Record<string, string>) =>
    fetch(`http://${world.host}/devices`, { headers });
  expect((await get({})).status).toBe(401);
  expect((await get({ 'Pullwire-Key': 'nonsense' })).status).toBe(401);
  expect(world.relay.snapshot().refusedCallers).toEqual({ 'key-missing': 1, 'key-malformed': 1 });
});

describe('a table whose writes nobody tells of', () => {
  test('is looked at when a device is pulled from: a revoked one takes no pull, and loses its link', async () => {
    const link = await open(device);
    const { key, ...made } = generateCallerKey();
    const grants = [{ devices: ['*'], sources: ['*'], methods: ['GET'] }];
    await world.registry.addKey({ ...made, name: 'ops', grants, createdAt: 1 });
    await world.registry.revokeDevice(plant, { at: Date.now(), why: 'stolen' });
    const answer = await fetch(`http://${world.host}/devices/${plant}/sources/web/x`, {
      headers: { 'Pullwire-Key': key },
    });
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ code: 'device-offline', why: 'revoked' });
    expect(await link.heard('bye')).toMatchObject({ code: 'revoked', reason: 'stolen' });
    expect(await link.closed).toBe(4_001);
  });
});
