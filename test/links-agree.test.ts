import { randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { systemClock } from '@pullwire/shared';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FolderBodies } from '../cloud/src/object/folder-bodies.ts';
import { DynamoQueueStore } from '../cloud/src/queue/dynamo-queue-store.ts';
import { DynamoReadingTable } from '../cloud/src/reading/dynamo-reading-table.ts';
import { DynamoRegistry } from '../cloud/src/registry/dynamo-registry.ts';
import { dataFolder } from '../cloud/src/server/data-folder.ts';
import type { RelayParts } from '../cloud/src/server/relay-parts.ts';
import { type TemporaryEngine, temporaryEngine } from '../cloud/src/server/temporary-engine.ts';
import { type Accounts, AgreementBench, happenings } from './src/agreement-bench.ts';

const long = process.env['PULLWIRE_LONG'] === '1';
const numRuns = long ? 300 : 30;
/** A dead path is seen in half a second, writes are tried again after 5. */
const quietWithinMs = 15_000;

let engine: TemporaryEngine;
let client: ReturnType<TemporaryEngine['engine']['createClient']>;
let registry: DynamoRegistry;
let queue: DynamoQueueStore;
let queueBodies: FolderBodies;
let readings: RelayParts['readings'];

beforeAll(async () => {
  engine = await temporaryEngine();
  client = engine.engine.createClient();
  const table = { client, name: 'pullwire' };
  registry = new DynamoRegistry({ ...table, mayCreateTable: true });
  queue = new DynamoQueueStore(table);
  await registry.ensureSchema();
  queueBodies = new FolderBodies({
    folder: dataFolder(engine.dataFolder).queue,
    clock: systemClock,
    newId: randomUUID,
  });
  const bodies = new FolderBodies({
    folder: dataFolder(engine.dataFolder).readings,
    clock: systemClock,
    newId: randomUUID,
  });
  readings = {
    readingTable: new DynamoReadingTable(table),
    bodies,
    retentionDays: 30,
    bytesPerDay: 2 ** 28,
  };
});

afterAll(async () => {
  client.destroy();
  await engine.remove();
});

/** The three say the same, nobody is missing, and nothing is left over. Somebody who is not recorded is offline as well. */
function agrees({ open, missing, links, connected, recorded, left }: Accounts): boolean {
  const same = (a: readonly string[], b: readonly string[]) => a.join() === b.join();
  return (
    missing.length === 0 &&
    links === open.length &&
    same(open, connected) &&
    (same(open, recorded) || open.length === 0) &&
    left.writes + left.pulls + left.unbalanced === 0
  );
}

/** Resolves when they agree, or with what they say when they should have by then. */
async function whenQuiet(bench: AgreementBench): Promise<Accounts> {
  const until = performance.now() + quietWithinMs;
  for (;;) {
    const accounts = await bench.accounts();
    if (agrees(accounts) || performance.now() > until) return accounts;
    await setImmediate();
  }
}

describe('registry, relay and agents', () => {
  test('agree on who is connected, whatever befell them', async () => {
    const step = fc.tuple(fc.constantFrom(...happenings), fc.nat(200));
    const property = fc.asyncProperty(
      fc.array(step, { minLength: 3, maxLength: 14 }),
      async (steps) => {
        const bench = await AgreementBench.start(registry, { queue, queueBodies, readings });
        try {
          await bench.happens('start p1');
          for (const [what, turns] of steps) {
            await bench.happens(what);
            for (let turn = 0; turn < turns; turn += 1) await setImmediate();
          }
          bench.heal();
          const accounts = await whenQuiet(bench);
          expect(agrees(accounts), JSON.stringify(accounts)).toBe(true);
        } finally {
          await bench.stop();
        }
      },
    );
    await fc.assert(property, { numRuns, endOnFailure: true });
  }, 3_600_000);
});
