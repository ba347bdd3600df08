import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@pullwire/shared';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { FakeExchange } from '../../test/fake-exchange.ts';
import type { CallerGrants } from '../auth/callers.ts';
import { compileGrants } from '../auth/grants.ts';
import { FolderBodies } from '../object/folder-bodies.ts';
import { DynamoRegistry } from '../registry/dynamo-registry.ts';
import type { Grant } from '../registry/registry.ts';
import { profile } from '../registry/registry-sample.ts';
import { type TemporaryEngine, temporaryEngine } from '../server/temporary-engine.ts';
import { DynamoReadingTable } from './dynamo-reading-table.ts';
import { bodyKey } from './reading-bodies.ts';
import { ReadingReader } from './reading-reader.ts';
import { failed, reading } from './reading-sample.ts';
import { ReadingWriter } from './reading-writer.ts';
import { ReadingsService } from './readings-service.ts';

let temporary: TemporaryEngine;
let folder: string;
let bodies: FolderBodies;
let writer: ReadingWriter;
let service: ReadingsService;
let grants: CallerGrants;
let failures: unknown[];
const now = Date.now();

beforeAll(async () => {
  temporary = await temporaryEngine();
  const table = { client: temporary.engine.createClient(), name: 'pullwire' };
  const registry = new DynamoRegistry({ ...table, mayCreateTable: true });
  await registry.ensureSchema();
  await registry.addDevice(profile);
  folder = await mkdtemp(join(tmpdir(), 'pw-readings-'));
  bodies = new FolderBodies({ folder, clock: systemClock, newId: randomUUID });
  await bodies.start();
  const readingTable = new DynamoReadingTable(table);
  const wall = () => systemClock.wall();
  writer = new ReadingWriter({ readingTable, bodies, retentionDays: 30, wall });
  service = new ReadingsService({
    callers: {
      authenticate: () => ({ id: 'k1', name: 'ops', grants, credential: 'pullwire-key' }),
    },
    registry,
    reader: new ReadingReader({ readingTable, bodies, wall }),
    clock: systemClock,
    failed: (_device, error) => failures.push(error),
  });
  const sources = ['metrics', 'logs', 'secret'];
  await writer.put(
    'plant-7',
    Array.from({ length: 60 }, (_, at) =>
      reading({ at: now - 60_000 + at, source: sources[at % 3] as string }),
    ),
  );
});

afterAll(async () => {
  await temporary.remove();
  await rm(folder, { recursive: true });
});

beforeEach(() => {
  failures = [];
  allow({ sources: ['*'] });
});

function allow(grant: Partial<Grant>): void {
  const whole = { devices: ['plant-*'], sources: ['*'], methods: ['GET'], ...grant };
  grants = compileGrants([whole], systemClock.wall);
}

interface Told {
  readonly readings: readonly { readonly source: string; readonly at: string }[];
  readonly next?: string;
}

async function list(query = '', headers: string[] = [], device = 'plant-7') {
  const exchange = new FakeExchange({ headers });
  await service.list(exchange, device, query);
  return { exchange, told: () => JSON.parse(exchange.bodyText) as Told };
}

describe('the readings of a device', () => {
  test('are those of the sources that a grant has for GET', async () => {
    allow({ sources: ['metrics', 'logs'] });
    const { told } = await list('limit=1000');
    expect(told().readings).toHaveLength(40);
    expect(new Set(told().readings.map(({ source }) => source))).toEqual(
      new Set(['metrics', 'logs']),
    );
    allow({ methods: ['POST'] });
    expect((await list()).told().readings).toEqual([]);
  });

  test.each([
    ['of a source without a grant', { sources: ['logs'] }, 'source=metrics', 'not-found'],
    [
      'of a source with a grant for POST',
      { methods: ['POST'] },
      'source=logs',
      'method-not-granted',
    ],
    ['of a device without a grant', { devices: ['other'] }, '', 'not-found'],
    ['of that device, asked in a wrong way', { devices: ['other'] }, 'limit=x', 'not-found'],
  ])('%s are refused', async (_name, grant, query, code) => {
    allow(grant);
    await expect(list(query)).rejects.toMatchObject({ code });
  });

  test('of a device that nobody knows are refused in the same words', async () => {
    const said = async (device: string) => {
      const error = (await list('', [], device).catch((caught: unknown) => caught)) as Error;
      return error.message;
    };
    allow({ devices: ['plant-0'] });
    expect(await said('plant-7')).toBe(await said('plant-0'));
  });

  test.each([1, 7, 20, 60])(
    'come in whole pages of %d where sources are left out',
    async (limit) => {
      allow({ sources: ['logs'] });
      const found: string[] = [];
      let query = `limit=${limit}`;
      for (;;) {
        const { told } = await list(query);
        expect(told().readings.length).toBeLessThanOrEqual(limit);
        found.push(...told().readings.map(({ at }) => at));
        const { next } = told();
        if (next === undefined) break;
        query = `limit=${limit}&cursor=${next}`;
      }
      const times = Array.from({ length: 20 }, (_, at) => now - 60_000 + 3 * at + 1);
      expect(found).toEqual(times.map((at) => new Date(at).toISOString()));
    },
  );

  test('are lines where the caller wants lines, and the next page is a link', async () => {
    const { exchange } = await list('limit=2&source=logs', ['Accept', 'application/x-ndjson']);
    const [first, second, rest] = exchange.bodyText.split('\n');
    expect([JSON.parse(first ?? ''), JSON.parse(second ?? ''), rest]).toMatchObject([
      { source: 'logs' },
      { source: 'logs' },
      '',
    ]);
    const { answerHeaders } = exchange;
    expect(answerHeaders).toContain('application/x-ndjson');
    expect(answerHeaders[answerHeaders.indexOf('Link') + 1]).toMatch(
      /^<\?limit=2&source=logs&cursor=[\w-]+>; rel="next"$/,
    );
  });

  test('none are an empty list, in both forms', async () => {
    expect((await list('until=1')).told().readings).toEqual([]);
    const { exchange } = await list('until=1', ['Accept', 'application/x-ndjson']);
    expect([exchange.status, exchange.bodyText]).toEqual([200, '']);
  });

  test('a HEAD has a head alone', async () => {
    const exchange = new FakeExchange({ method: 'HEAD' });
    await service.list(exchange, 'plant-7', undefined);
    expect([exchange.status, exchange.bodyText, exchange.ended]).toEqual([200, '', true]);
  });

  test('one whose body is gone stands among the others, and says so', async () => {
    const at = now - 1_000;
    await writer.put('plant-7', [
      reading({ at, path: '/lost', body: randomBytes(9_000) }),
      reading({ at: at + 1, path: '/lost' }),
    ]);
    await bodies.remove(bodyKey('plant-7', { at, schedule: 'every-minute' }));
    const { told } = await list('path=%2Flost');
    expect(told().readings).toMatchObject([{ bodyMissing: true, length: 9_000 }, { length: 17 }]);
  });

  test('more at a time than a caller may have are refused, until one has ended', async () => {
    await writer.put('plant-7', [reading({ at: now, path: '/big', body: randomBytes(60_000) })]);
    const held = Array.from({ length: 16 }, () => {
      const exchange = new FakeExchange({});
      exchange.takes = false;
      return { exchange, ended: service.list(exchange, 'plant-7', 'path=%2Fbig') };
    });
    const full = async () => {
      const error = await list('path=%2Fbig').catch((caught: unknown) => caught);
      return (error as { code?: string }).code;
    };
    // One that was asked for meanwhile would take the place of one of these.
    await expect.poll(() => held.every(({ exchange }) => exchange.headSent)).toBe(true);
    await expect.poll(full).toBe('caller-busy');
    held[0]?.exchange.leave();
    await held[0]?.ended;
    expect(held[0]?.exchange.broken).toBe(true);
    expect(failures).toHaveLength(1);
    await list('until=1');
    for (const { exchange } of held.slice(1)) exchange.leave();
    await Promise.all(held.map(({ ended }) => ended));
  });
});

describe('the latest reading', () => {
  const latest = async (query: string) => {
    const exchange = new FakeExchange({});
    await service.latest(exchange, 'plant-7', query);
    return JSON.parse(exchange.bodyText) as unknown;
  };

  test('of a series is one object, a fault too', async () => {
    await writer.put('plant-7', [
      reading({ at: now - 5, path: '/l', query: 'a=1' }),
      failed({ at: now - 4, path: '/l', query: 'a=1' }),
    ]);
    expect(await latest('source=metrics&path=%2Fl&query=a%3D1')).toMatchObject({
      at: new Date(now - 4).toISOString(),
      fault: { code: 'upstream-unreachable' },
    });
  });

  test.each([
    ['that there is none of', {}, 'source=metrics&path=%2Fnone', 'reading-unknown'],
    ['that no grant covers', { sources: ['logs'] }, 'source=metrics&path=%2Fmetrics', 'not-found'],
    ['of which no source is said', {}, '', 'bad-request'],
    ['of which none is said without a grant', { devices: ['other'] }, '', 'not-found'],
  ])('%s is refused', async (_name, grant, query, code) => {
    allow(grant);
    await expect(latest(query)).rejects.toMatchObject({ code });
  });
});
