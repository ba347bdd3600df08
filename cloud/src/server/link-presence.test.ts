import { afterEach, beforeEach, expect, test } from 'vitest';
import { SigningDevice } from '../../test/signing-device.ts';
import { generateCallerKey } from '../auth/caller-key.ts';
import { TemporaryRelay } from './temporary-relay.ts';

const device = new SigningDevice('plant-7');

let world: TemporaryRelay;
let events: AsyncIterator<string>;
let leave: AbortController;

beforeEach(async () => {
  world = await TemporaryRelay.start();
  const known = { device: device.device, publicKey: device.publicKey, labels: {}, createdAt: 0 };
  await world.registry.addDevice(known);
  const { id, key, hash, prefix } = generateCallerKey();
  const grants = [{ devices: ['*'], sources: ['*'], methods: ['*'] }];
  await world.registry.addKey({ id, name: 'ops', hash, prefix, grants, createdAt: 0 });
  leave = new AbortController();
  const headers = { 'Pullwire-Key': key };
  const { signal } = leave;
  events = read(await fetch(`http://${world.host}/events`, { headers, signal }));
});
afterEach(async () => {
  await world.stop();
  leave.abort();
});

/** Each event as `type instance why`. */
async function* read(answer: Response): AsyncGenerator<string> {
  let text = '';
  for await (const chunk of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    for (;;) {
      const found = /event: (\w+)\ndata: (.*)\n\n/.exec(text);
      if (found === null) break;
      text = text.slice(found.index + found[0].length);
      const { instance, why } = JSON.parse(found[2] ?? '') as Record<string, string>;
      yield [found[1], instance, why].filter(Boolean).join(' ');
    }
  }
}

const next = async () => (await events.next()).value;
const open = async (instance = 'main') =>
  world.link('plant-7', await device.token(world.host, instance), instance);

test('a link that takes the place of another one of its instance is no change', async () => {
  const older = await open();
  expect(await next()).toBe('connected main');
  const newer = await open();
  expect(await older.heard('bye')).toMatchObject({ code: 'replaced' });
  newer.say({ action: 'bye', code: 'shutdown' });
  expect(await next()).toBe('offline main shutdown');
});

test('a device is there as long as one of its instances is', async () => {
  const [main, spare] = [await open('main'), await open('spare')];
  expect(await next()).toBe('connected main');
  main.say({ action: 'bye', code: 'shutdown' });
  await main.closed;
  spare.say({ action: 'bye', code: 'drained' });
  expect(await next()).toBe('offline spare drained');
});

test('one that is revoked is offline for that', async () => {
  await open();
  await world.registry.revokeDevice('plant-7', { at: Date.now(), why: 'stolen' });
  world.relay.registryChanged(['plant-7']);
  expect([await next(), await next()]).toEqual(['connected main', 'offline main revoked']);
});

test('a relay that shuts down ends its streams before the agents go, and nothing stays open', async () => {
  await open();
  expect(await next()).toBe('connected main');
  expect(world.relay.snapshot().eventStreams).toBe(1);
  await world.relay.stop();
  expect((await events.next()).done).toBe(true);
  expect(world.relay.snapshot().eventStreams).toBe(0);
});
