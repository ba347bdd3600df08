import { afterEach, beforeEach, expect, test } from 'vitest';
import { SigningDevice } from '../../test/signing-device.ts';
import { generateCallerKey } from '../auth/caller-key.ts';
import type { Grant } from '../registry/registry.ts';
import { HandLink, TemporaryRelay } from './temporary-relay.ts';

const plant = 'plant-7';
const everything: Grant = { devices: ['*'], sources: ['*'], methods: ['*'] };

let world: TemporaryRelay;
let device: SigningDevice;
let key: ReturnType<typeof generateCallerKey>;

beforeEach(async () => {
  world = await TemporaryRelay.start();
  device = new SigningDevice(plant);
  await know(plant);
  key = await addKey([everything]);
});
afterEach(() => world.stop());

async function know(id: string, createdAt = Date.now() - 60_000): Promise<void> {
  const { publicKey } = device;
  await world.registry.addDevice({ device: id, publicKey, labels: {}, createdAt });
}

async function addKey(grants: Grant[]): Promise<ReturnType<typeof generateCallerKey>> {
  const made = generateCallerKey();
  const { id, hash, prefix } = made;
  await world.registry.addKey({ id, name: 'ops', hash, prefix, grants, createdAt: 1 });
  return made;
}

const ask = (path: string, init: RequestInit = {}, as = key) =>
  fetch(`http://${world.host}${path}`, {
    ...init,
    headers: { 'Pullwire-Key': as.key, ...init.headers },
  });

const queue = (path: string, at = plant, as = key) => {
  const headers = { Prefer: 'respond-async' };
  return ask(`/devices/${at}/sources/web${path}`, { method: 'POST', body: 'x', headers }, as);
};

const stateOf = async (answer: Response) => {
  const place = answer.headers.get('location') ?? '';
  return (await (await ask(place)).json()) as { state: string; problem?: { code: string } };
};

/** The device's agent, played by hand; it offers `web`. */
async function link(): Promise<HandLink> {
  const dialled = await world.dial(await device.token(world.host));
  if (!(dialled instanceof HandLink)) throw new Error(`the relay answered ${dialled.status}`);
  dialled.say({
    action: 'hello',
    ...{ version: 1, agent: 'hand/1', device: plant, instance: 'main' },
    sources: [{ name: 'web', kind: 'http', methods: ['GET', 'POST'] }],
    ...{ labels: {}, features: [] },
  });
  await dialled.heard('welcome');
  return dialled;
}

/** Asks until the pull has this state. */
async function comesTo(answer: Response, wanted: string) {
  for (;;) {
    const now = await stateOf(answer);
    if (now.state === wanted) return now;
    if (now.state !== 'queued' && now.state !== 'sent') expect(now.state).toBe(wanted);
  }
}

test('a device, and a caller, may have so many queued and no more', async () => {
  for (let at = 0; at < 8; at += 1) expect((await queue(`/${at}`)).status).toBe(202);
  const full = await queue('/9');
  expect([full.status, full.headers.get('retry-after'), await full.json()]).toEqual([
    429,
    '30',
    expect.objectContaining({ code: 'queue-full', detail: expect.stringContaining('perDevice') }),
  ]);
  await know('plant-8');
  await know('plant-9');
  for (let at = 0; at < 8; at += 1) expect((await queue(`/${at}`, 'plant-8')).status).toBe(202);
  const busy = await queue('/x', 'plant-9');
  expect([busy.status, await busy.json()]).toMatchObject([
    429,
    { detail: expect.stringContaining('perCaller') },
  ]);
  const other = await addKey([everything]);
  expect((await queue('/x', 'plant-9', other)).status).toBe(202);
});

test('four are out at once, and the next goes when one has ended', async () => {
  for (let at = 0; at < 6; at += 1) await queue(`/${at}`);
  const agent = await link();
  const pulls = [];
  for (let at = 0; at < 4; at += 1) pulls.push(await agent.heard('pull'));
  expect(pulls.map(({ path }) => path)).toEqual(['/0', '/1', '/2', '/3']);
  // Whatever else was on its way would have come before the answer to this.
  const pong = agent.ponged();
  agent.ping();
  await pong;
  expect(agent.unasked).not.toContain('pull');
  const { pullId, replyTo } = pulls[2] ?? { pullId: '', replyTo: '' };
  agent.say({ action: 'head', pullId, replyTo, seq: 0, status: 204, headers: [], end: true });
  expect((await agent.heard('pull')).path).toBe('/4');
  agent.close();
});

test('what was queued for a device is not for another one that got its name', async () => {
  const answer = await queue('/x');
  await world.registry.removeDevice(plant);
  await know(plant, Date.now() + 1_000);
  await link();
  expect(await comesTo(answer, 'refused')).toMatchObject({ problem: { code: 'not-found' } });
});

test('a grant that was taken back meanwhile counts when the device comes', async () => {
  const answer = await queue('/x');
  const less = [{ ...everything, methods: ['GET'] }];
  expect(await world.registry.changeGrants(key.id, [everything], less)).toBe(true);
  await link();
  expect(await comesTo(answer, 'refused')).toMatchObject({
    problem: { code: 'method-not-granted' },
  });
});

test('an agent that is shutting down gives it back, and its next link has it', async () => {
  const answer = await queue('/x');
  const first = await link();
  const { pullId, replyTo } = await first.heard('pull');
  const fault = { code: 'agent-draining', stage: 'agent-accept', detail: 'bye' } as const;
  first.say({ action: 'drain' });
  first.say({ action: 'fault', pullId, replyTo, ...fault });
  await comesTo(answer, 'queued');
  first.close();
  const again = await link();
  const second = await again.heard('pull');
  expect(second.pullId).not.toBe(pullId);
  again.say({
    action: 'fault',
    pullId: second.pullId,
    replyTo: second.replyTo,
    ...fault,
    code: 'busy',
  });
  expect(await comesTo(answer, 'failed')).toMatchObject({ problem: { code: 'busy' } });
});

test('frames for a sending that is not out any more change nothing', async () => {
  const answer = await queue('/x');
  const agent = await link();
  const { pullId, replyTo } = await agent.heard('pull');
  await ask(answer.headers.get('location') ?? '', { method: 'DELETE' });
  expect(await agent.heard('cancel')).toMatchObject({ pullId });
  agent.say({ action: 'head', pullId, replyTo, seq: 0, status: 200, headers: [], end: true });
  const behind = await queue('/y');
  expect((await agent.heard('pull')).path).toBe('/y');
  expect((await stateOf(answer)).state).toBe('cancelled');
  expect((await stateOf(behind)).state).toBe('sent');
});
