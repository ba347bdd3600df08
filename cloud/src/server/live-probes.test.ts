import { afterEach, beforeEach, expect, test } from 'vitest';
import { SigningDevice } from '../../test/signing-device.ts';
import { generateCallerKey } from '../auth/caller-key.ts';
import { type HandLink, TemporaryRelay } from './temporary-relay.ts';

const device = new SigningDevice('plant-7');

let world: TemporaryRelay;
let key = '';

beforeEach(async () => {
  world = await TemporaryRelay.start();
  const known = { device: device.device, publicKey: device.publicKey, labels: {}, createdAt: 0 };
  await world.registry.addDevice(known);
  const { id, key: text, hash, prefix } = generateCallerKey();
  const grants = [{ devices: ['*'], sources: ['*'], methods: ['*'] }];
  await world.registry.addKey({ id, name: 'ops', hash, prefix, grants, createdAt: 0 });
  key = text;
});
afterEach(() => world.stop());

const open = async (features: readonly string[], instance = 'main'): Promise<HandLink> =>
  world.link('plant-7', await device.token(world.host, instance), instance, features);

interface Shown {
  readonly presence: string;
  readonly why?: string;
  readonly links: readonly { readonly instance: string; readonly probe: unknown }[];
}

async function show(query: string): Promise<Shown> {
  const headers = { 'Pullwire-Key': key };
  const answer = await fetch(`http://${world.host}/devices/plant-7${query}`, { headers });
  return (await answer.json()) as Shown;
}

const answered = { answered: true, rttMs: expect.any(Number) };

test('an agent that knows probes proves its link by a message', async () => {
  const link = await open(['probe']);
  const shown = show('?probe=1');
  const { pullId, replyTo } = await link.heard('probe');
  link.say({ action: 'probed', pullId, replyTo });
  expect(await shown).toMatchObject({ presence: 'connected', links: [{ probe: answered }] });
  expect(world.relay.snapshot().pullsInFlight).toBe(0);
});

test('one that does not is proven by a ping', async () => {
  const link = await open([]);
  expect(await show('?probe=1')).toMatchObject({
    presence: 'connected',
    links: [{ probe: answered }],
  });
  expect(link.unasked).toEqual([]);
});

test('an answer in the name of the other instance, or of nobody’s probe, is none', async () => {
  const [main, spare] = [await open(['probe'], 'main'), await open(['probe'], 'spare')];
  const shown = show('?probe=1');
  const [ofMain, ofSpare] = [await main.heard('probe'), await spare.heard('probe')];
  main.say({ action: 'probed', pullId: ofMain.pullId, replyTo: ofSpare.replyTo });
  spare.close();
  main.say({ ...ofMain, action: 'probed' });
  const { links } = await shown;
  expect(links).toMatchObject([
    { instance: 'main', probe: answered },
    { instance: 'spare', probe: { answered: false, why: 'gone' } },
  ]);
  expect(world.relay.snapshot().strays).toMatchObject({ 'foreign-pull': 1 });
});

test('without the query nobody is asked, and no other value of it is taken', async () => {
  const link = await open(['probe']);
  expect((await show('')).links[0]).not.toHaveProperty('probe');
  expect(await show('?probe=yes')).toMatchObject({ status: 400, code: 'bad-request' });
  expect(link.unasked).toEqual([]);
});
