import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import dynalite from 'dynalite';
import { afterEach, expect, test } from 'vitest';
import { DynamoRegistry } from '../registry/dynamo-registry.ts';
import { createEngineClient } from './engine-client.ts';
import { closeIteratorsAtEnd } from './engine-iterators.ts';

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

/** Every iterator that LevelDB is asked for from now on. */
function collected() {
  // Its types hide the method by which abstract-level has every iterator made.
  const { prototype } = ClassicLevel as unknown as {
    prototype: { _iterator(options: object): { next(): Promise<unknown> } };
  };
  const open = prototype._iterator;
  const all: ReturnType<typeof open>[] = [];
  prototype._iterator = function (options) {
    const iterator = open.call(this, options);
    all.push(iterator);
    return iterator;
  };
  stops.push(async () => {
    prototype._iterator = open;
  });
  return all;
}

/** The registry on dynalite in this very thread, where its iterators can be seen. */
async function registryHere(): Promise<DynamoRegistry> {
  const folder = await mkdtemp(join(tmpdir(), 'pw-'));
  stops.push(() => rm(folder, { recursive: true }));
  closeIteratorsAtEnd();
  const server = dynalite({ path: join(folder, 'db'), createTableMs: 0 });
  server.listen(join(folder, 'sock'));
  await once(server, 'listening');
  const client = createEngineClient(join(folder, 'sock'));
  stops.push(async () => {
    client.destroy();
    server.close();
    await once(server, 'close');
  });
  const registry = new DynamoRegistry({ client, name: 'pullwire', mayCreateTable: true });
  await registry.ensureSchema();
  return registry;
}

test('no read leaves an iterator open, also one that is ended early', async () => {
  const registry = await registryHere();
  for (let at = 0; at < 5; at += 1) {
    await registry.addDevice({ device: `d${at}`, publicKey: 'k', labels: {}, createdAt: 1 });
  }
  const iterators = collected();
  await registry.device('d1');
  await registry.device('nobody');
  await registry.devices({ limit: 2 });
  expect(iterators.length).toBeGreaterThanOrEqual(3);
  for (const iterator of iterators) {
    await expect
      .poll(() => iterator.next().catch((error) => error))
      .toMatchObject({
        code: 'LEVEL_ITERATOR_NOT_OPEN',
      });
  }
});
