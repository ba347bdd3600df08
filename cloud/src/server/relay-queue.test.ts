import { afterEach, beforeEach, expect, test } from 'vitest';
import { QueueWorld } from '../../test/queue-world.ts';
import type { Grant } from '../registry/registry.ts';

const everything: Grant = { devices: ['*'], sources: ['*'], methods: ['*'] };

let world: QueueWorld;

beforeEach(async () => {
  world = await QueueWorld.start();
});
afterEach(() => world.stop());

test('a device, and a caller, may have so many queued and no more', async () => {
  for (let at = 0; at < 8; at += 1) expect((await world.queue(`/${at}`)).status).toBe(202);
  const full = await world.queue('/9');
  expect([full.status, full.headers.get('retry-after'), await full.json()]).toEqual([
    429,
    '30',
    expect.objectContaining({ code: 'queue-full', detail: expect.stringContaining('perDevice') }),
  ]);
  await world.know('plant-8');
  await world.know('plant-9');
  for (let at = 0; at < 8; at += 1)
    expect((await world.queue(`/${at}`, 'plant-8')).status).toBe(202);
  const busy = await world.queue('/x', 'plant-9');
  expect([busy.status, await busy.json()]).toMatchObject([
    429,
    { detail: expect.stringContaining('perCaller') },
  ]);
  const other = await world.addKey();
  expect((await world.queue('/x', 'plant-9', other)).status).toBe(202);
});

test('four are out at once, and the next goes when one has ended', async () => {
  for (let at = 0; at < 6; at += 1) await world.queue(`/${at}`);
  const agent = await world.link();
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
  const answer = await world.queue('/x');
  await world.relay.registry.removeDevice(world.plant);
  await world.know(world.plant, Date.now() + 1_000);
  await world.link();
  expect(await world.comesTo(answer, 'refused')).toMatchObject({ problem: { code: 'not-found' } });
});

test('a grant that was taken back meanwhile counts when the device comes', async () => {
  const answer = await world.queue('/x');
  const less = [{ ...everything, methods: ['GET'] }];
  expect(await world.relay.registry.changeGrants(world.key.id, [everything], less)).toBe(true);
  await world.link();
  expect(await world.comesTo(answer, 'refused')).toMatchObject({
    problem: { code: 'method-not-granted' },
  });
});

test('an agent that is shutting down gives it back, and its next link has it', async () => {
  const answer = await world.queue('/x');
  const first = await world.link();
  const { pullId, replyTo } = await first.heard('pull');
  const fault = { code: 'agent-draining', stage: 'agent-accept', detail: 'bye' } as const;
  first.say({ action: 'drain' });
  first.say({ action: 'fault', pullId, replyTo, ...fault });
  await world.comesTo(answer, 'queued');
  first.close();
  const again = await world.link();
  const second = await again.heard('pull');
  expect(second.pullId).not.toBe(pullId);
  again.say({
    action: 'fault',
    pullId: second.pullId,
    replyTo: second.replyTo,
    ...fault,
    code: 'busy',
  });
  expect(await world.comesTo(answer, 'failed')).toMatchObject({ problem: { code: 'busy' } });
});

test('frames for a sending that is not out any more change nothing', async () => {
  const answer = await world.queue('/x');
  const agent = await world.link();
  const { pullId, replyTo } = await agent.heard('pull');
  await world.ask(answer.headers.get('location') ?? '', { method: 'DELETE' });
  expect(await agent.heard('cancel')).toMatchObject({ pullId });
  agent.say({ action: 'head', pullId, replyTo, seq: 0, status: 200, headers: [], end: true });
  const behind = await world.queue('/y');
  expect((await agent.heard('pull')).path).toBe('/y');
  expect((await world.stateOf(answer)).state).toBe('cancelled');
  expect((await world.stateOf(behind)).state).toBe('sent');
});
