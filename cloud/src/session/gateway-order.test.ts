import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CallScheduler, inEveryOrder } from '../../test/call-scheduler.ts';
import { GatewayBench, type Happening } from '../../test/gateway-bench.ts';
import { DynamoRegistry } from '../registry/dynamo-registry.ts';
import { type TemporaryEngine, temporaryEngine } from '../server/temporary-engine.ts';

const long = process.env['PULLWIRE_LONG'] === '1';

/** What went before, one after the other; and what happens at once. Those with the fewest orders first. */
const scenarios: readonly (readonly [string, readonly Happening[], readonly Happening[]])[] = [
  [
    'a newer link comes while the older one drains',
    ['connect c1', 'hello c1'],
    ['connect c2', 'hello c2', 'drain c1', 'gone c1'],
  ],
  [
    'two links come at once, and nobody was there',
    [],
    ['connect c1', 'connect c2', 'hello c1', 'hello c2'],
  ],
  [
    'two links come at once, and the newer one never says hello',
    ['connect c1', 'hello c1'],
    ['connect c2', 'connect c3', 'hello c2', 'disconnect c3'],
  ],
  [
    'a newer link comes while the older one describes itself anew and is lost',
    ['connect c1', 'hello c1'],
    ['connect c2', 'hello c2', 'hello c1', 'disconnect c1'],
  ],
  [
    'a newer link is lost around its hello',
    ['connect c1', 'hello c1'],
    ['connect c2', 'hello c2', 'disconnect c2', 'hello c1'],
  ],
  [
    'a newer link is lost without a hello, and the older one after it',
    ['connect c1', 'hello c1'],
    ['connect c2', 'disconnect c2', 'gone c2', 'disconnect c1', 'gone c1'],
  ],
  [
    'two links come at once in place of an older one',
    ['connect c1', 'hello c1'],
    ['connect c2', 'connect c3', 'hello c2', 'hello c3'],
  ],
  [
    'a handshake, a hello and a loss are all handled twice',
    ['connect c1', 'hello c1'],
    ['connect c2', 'connect c2', 'hello c2', 'hello c2', 'disconnect c1'],
  ],
  [
    'a link drains, is replaced and comes back to it late',
    ['connect c1', 'hello c1', 'drain c1'],
    ['connect c2', 'hello c2', 'drain c1', 'disconnect c1', 'connect c1'],
  ],
];

const ids = ['c1', 'c2', 'c3'] as const;
const comings = ids.flatMap((id): Happening[] => [`connect ${id}`, `hello ${id}`]);
const anything = fc
  .tuple(
    fc.constantFrom('connect', 'hello', 'drain', 'gone', 'disconnect'),
    fc.constantFrom(...ids),
  )
  .map(([what, id]): Happening => `${what} ${id}`);

describe('links at a gateway, whatever the order of the registry’s calls', () => {
  it.each(scenarios)(
    '%s: agents and registry agree at the end',
    async (_name, before, atOnce) => {
      const orders = await inEveryOrder(async (choose) => {
        const bench = new GatewayBench();
        await bench.happen(before);
        await bench.happen(atOnce, choose);
        expect(await bench.known()).toEqual(bench.believed);
      });
      expect(orders).toBeGreaterThan(20);
    },
    60_000,
  );

  it('anything happens to three links: agents and registry agree at the end', async () => {
    const property = fc.asyncProperty(
      fc.array(anything, { maxLength: 6 }),
      fc.shuffledSubarray(comings, { minLength: 4 }),
      fc.array(anything, { maxLength: 6 }),
      fc.array(fc.nat(60), { maxLength: 40 }),
      async (before, come, more, turns) => {
        const bench = new GatewayBench();
        await bench.happen(before);
        let turn = 0;
        await bench.happen([...come, ...more], (of) => (turns[turn++] ?? 0) % of);
        expect(await bench.known()).toEqual(bench.believed);
      },
    );
    await fc.assert(property, { numRuns: long ? 50_000 : 5_000 });
  }, 300_000);
});

describe('links at a gateway, whatever the order of the commands to the engine', () => {
  let temporary: TemporaryEngine;
  let client: DynamoDBClient;
  const table = { name: 'pullwire', mayCreateTable: true };
  beforeAll(async () => {
    temporary = await temporaryEngine();
    client = temporary.engine.createClient();
    await new DynamoRegistry({ client, ...table }).ensureSchema();
  });
  afterAll(async () => {
    client.destroy();
    await temporary.remove();
  });

  it.each(long ? scenarios : scenarios.slice(0, 3))(
    '%s: agents and registry agree at the end',
    async (name, before, atOnce) => {
      let run = 0;
      const guarded = (scheduler: CallScheduler) =>
        new DynamoRegistry({ client: scheduler.guard(client), ...table });
      const orders = await inEveryOrder(async (choose) => {
        run += 1;
        const device = `${scenarios.findIndex(([title]) => title === name)}-${run}`;
        const bench = new GatewayBench(new DynamoRegistry({ client, ...table }), {
          guarded,
          device,
        });
        await bench.happen(before);
        await bench.happen(atOnce, choose);
        expect(await bench.known()).toEqual(bench.believed);
      });
      expect(orders).toBeGreaterThan(20);
    },
    600_000,
  );
});
