import { setImmediate } from 'node:timers/promises';
import { PullFault } from '@pullwire/shared';
import { expect, test } from 'vitest';
import { answers, headerOf, isOff, readingOf, StoredBench } from '../../test/stored-bench.ts';
import { ObjectStoreError } from '../object/object-store-error.ts';
import { RegistryError } from '../registry/registry-error.ts';

const anHour = 'stale-if-error=3600';

async function* bytes(...chunks: string[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield Buffer.from(chunk);
}

test('a request without these directives goes to the device as it is, and nothing is looked up', async () => {
  const bench = new StoredBench({ reading: readingOf(1) });
  for (const said of [undefined, 'no-cache', 'max-age=0', 'no-store, min-fresh=1']) {
    const exchange = await bench.ask(said);
    expect(bench.asked.at(-1)).toBe(exchange);
  }
  expect(bench.looked).toEqual([]);
});

test.each([
  ['POST', {}],
  ['DELETE', {}],
  ['OPTIONS', {}],
  ['GET with a body', { method: 'GET', bodyLength: 3 }],
])('%s goes to the device, whatever it says', async (method, init) => {
  const bench = new StoredBench({ reading: readingOf(1) });
  const exchange = await bench.ask('only-if-cached, max-stale', { method, ...init });
  expect([bench.asked, bench.looked]).toEqual([[exchange], []]);
});

test('a stored answer is the response as it was, with its age and where it is from', async () => {
  const headers = [
    'X-Unit',
    'C',
    'Set-Cookie',
    'a=1',
    'Pullwire-Pull',
    'old',
    'Age',
    '4',
    'Cache-Status',
    'inner; hit',
  ];
  const bench = new StoredBench({ reading: readingOf(90, headers, { status: 404 }) });
  const exchange = await bench.ask('max-stale');
  expect([exchange.status, exchange.bodyText]).toEqual([404, 'stored']);
  expect(exchange.answerHeaders).toEqual([
    ...['Content-Type', 'text/plain', 'X-Unit', 'C', 'Cache-Status', 'inner; hit'],
    ...['Date', 'Sat, 28 Nov 2026 19:58:30 GMT', 'Via', '1.1 pullwire', 'Age', '94'],
    ...['Cache-Status', 'pullwire; hit; ttl=-94', 'Pullwire-Answered-By', 'upstream'],
    ...['Content-Length', '6'],
  ]);
  expect(bench.looked).toEqual([['plant-7', { source: 'metrics', path: '/m' }, 'answer']]);
  expect(bench.given).toEqual([
    {
      ...{ caller: 'ops', device: 'plant-7', source: 'metrics', method: 'GET', path: '/m' },
      ...{ status: 404, ageSeconds: 94, cacheStatus: 'pullwire; hit; ttl=-94' },
    },
  ]);
});

test('path and query are looked up byte for byte', async () => {
  const bench = new StoredBench();
  await bench.ask('max-stale', { target: '/devices/plant-7/sources/metrics/a%2Fb?c=%2B' });
  expect(bench.looked).toEqual([
    ['plant-7', { source: 'metrics', path: '/a%2Fb', query: 'c=%2B' }, 'answer'],
  ]);
});

test('HEAD has the headers of the stored answer and no body', async () => {
  const bench = new StoredBench({ reading: readingOf(1, [], { objects: 1, length: 50_000 }) });
  const exchange = await bench.ask('only-if-cached', { method: 'HEAD' });
  expect([exchange.status, exchange.bodyText, headerOf(exchange, 'content-length')]).toEqual([
    200,
    '',
    '50000',
  ]);
});

test('who has what is stored gets a 304 with its metadata alone', async () => {
  const bench = new StoredBench({
    reading: readingOf(1, ['ETag', '"a"', 'Cache-Control', 'max-age=9']),
  });
  const exchange = await bench.ask('max-stale', { headers: ['If-None-Match', '"a"'] });
  expect([exchange.status, exchange.bodyText]).toEqual([304, '']);
  const names = exchange.answerHeaders.filter((_, at) => at % 2 === 0);
  expect(names).toEqual([
    'ETag',
    'Cache-Control',
    'Date',
    'Via',
    'Age',
    'Cache-Status',
    'Pullwire-Answered-By',
  ]);
});

test.each([
  ['If-Match', '"a"'],
  ['If-Unmodified-Since', 'Sat, 28 Nov 2026 20:00:00 GMT'],
])('with %s the device is asked', async (name, value) => {
  const bench = new StoredBench({ reading: readingOf(1) });
  const exchange = await bench.ask('max-stale', { headers: [name, value] });
  expect([exchange.bodyText, headerOf(exchange, 'cache-status')]).toEqual([
    'device',
    'pullwire; fwd=request',
  ]);
  expect((await bench.ask('only-if-cached', { headers: [name, value] })).status).toBe(504);
});

test('a range is ignored: the answer is whole', async () => {
  const bench = new StoredBench({ reading: readingOf(1) });
  const exchange = await bench.ask('max-stale', { headers: ['Range', 'bytes=0-1'] });
  expect([exchange.status, exchange.bodyText]).toEqual([200, 'stored']);
});

test.each([
  ['uri-miss', undefined, 'max-stale'],
  ['uri-miss', readingOf(1, ['Cache-Control', 'no-store']), 'max-stale'],
  ['vary-miss', readingOf(1, ['Vary', '*']), 'max-stale'],
  ['stale', readingOf(9), 'max-stale=5'],
  ['request', readingOf(9), 'max-stale, max-age=5'],
])(
  "with the device's answer Cache-Status says why no reading would do: %s",
  async (why, reading, said) => {
    const exchange = await new StoredBench({ reading }).ask(said);
    expect([exchange.bodyText, headerOf(exchange, 'cache-status')]).toEqual([
      'device',
      `pullwire; fwd=${why}`,
    ]);
  },
);

test('after an error Cache-Status says what became of asking', async () => {
  const reading = readingOf(9, ['Cache-Control', 'max-age=10']);
  const off = await new StoredBench({ reading: readingOf(9), device: isOff }).ask(anHour);
  expect(headerOf(off, 'cache-status')).toBe('pullwire; hit; ttl=-9; detail=device-offline');
  expect(headerOf(off, 'pullwire-pull')).toBeUndefined();
  const failed = await new StoredBench({ reading, device: answers(503) }).ask(anHour);
  expect(headerOf(failed, 'cache-status')).toBe(
    'pullwire; fwd=request; fwd-status=503; ttl=1; detail=upstream',
  );
  expect(headerOf(failed, 'pullwire-pull')).toBe('p1');
});

test('the 504 of only-if-cached is a problem, and logged as one', async () => {
  const bench = new StoredBench();
  const exchange = await bench.ask('only-if-cached');
  expect(headerOf(exchange, 'content-type')).toBe('application/problem+json');
  expect(exchange.problem).toMatchObject({
    status: 504,
    code: 'not-stored',
    stage: 'lookup',
    retrySafe: true,
  });
  expect(bench.refusals).toMatchObject([
    { device: 'plant-7', source: 'metrics', fault: { code: 'not-stored' } },
  ]);
});

test.each(['only-if-cached', 'max-stale', anHour])(
  'the grant comes first with %s',
  async (said) => {
    const look = async (init: ConstructorParameters<typeof StoredBench>[0]) => {
      const bench = new StoredBench({ reading: readingOf(1), device: isOff, ...init });
      const exchange = await bench.ask(said);
      return { code: exchange.problem.code, looked: bench.looked.length };
    };
    const refused = said === anHour ? 'device-offline' : 'not-found';
    expect(await look({ allows: () => 'no-grant' })).toEqual({ code: refused, looked: 0 });
    expect(await look({ isKnown: false })).toEqual({ code: refused, looked: 0 });
    const method = said === anHour ? 'device-offline' : 'method-not-granted';
    expect(await look({ allows: () => 'method-not-granted' })).toEqual({ code: method, looked: 0 });
    const deny = new PullFault('caller-unauthenticated', 'caller-auth', { detail: 'd' });
    const stranger = said === anHour ? 'device-offline' : 'caller-unauthenticated';
    expect(await look({ deny })).toEqual({ code: stranger, looked: 0 });
  },
);

test('whoever may make HEAD alone gets nothing that a GET gave', async () => {
  const allows = (_: string, method: string) =>
    method === 'HEAD' ? 'allowed' : 'method-not-granted';
  const bench = new StoredBench({ reading: readingOf(1), allows });
  const exchange = await bench.ask('only-if-cached', { method: 'HEAD' });
  expect([exchange.status, bench.looked]).toEqual([504, []]);
});

test('a registry that cannot be read is said by only-if-cached, and no reason not to ask the device', async () => {
  const latest = async () => {
    throw new RegistryError('unavailable', 'down');
  };
  const bench = new StoredBench({ latest });
  expect((await bench.ask('only-if-cached')).problem.code).toBe('registry-unavailable');
  expect((await bench.ask('max-stale')).bodyText).toBe('device');
  const off = new StoredBench({ latest, device: isOff });
  expect((await off.ask(anHour)).problem.code).toBe('device-offline');
});

test('an error waits 2 s for what stands in for it, and what comes later is closed', async () => {
  const late = Promise.withResolvers<ReturnType<typeof readingOf>>();
  let closed = false;
  async function* body(): AsyncGenerator<Uint8Array> {
    try {
      yield Buffer.from('stored');
    } finally {
      closed = true;
    }
  }
  const bench = new StoredBench({
    latest: () => late.promise,
    open: async () => body(),
    device: isOff,
  });
  const exchange = bench.begin(anHour);
  await setImmediate();
  expect(exchange.status).toBeUndefined();
  bench.clock.advance(2_000);
  while (!exchange.ended) await setImmediate();
  expect(exchange.problem.code).toBe('device-offline');
  late.resolve(readingOf(1, [], { objects: 1 }));
  await expect.poll(() => closed).toBe(true);
});

const large = readingOf(1, [], { objects: 2, length: 9 });

test('a large body is streamed at the pace of its caller', async () => {
  const half = 'x'.repeat(40_000);
  const reading = readingOf(1, [], { objects: 2, length: 80_000 });
  const bench = new StoredBench({ reading, open: async () => bytes(half, half) });
  const exchange = bench.begin('max-stale');
  exchange.takes = false;
  await expect.poll(() => exchange.pendingBytes).toBe(40_000);
  await setImmediate();
  expect(exchange.bodyText).toHaveLength(40_000);
  exchange.take();
  await expect.poll(() => exchange.bodyText.length).toBe(80_000);
  exchange.take();
  await expect.poll(() => exchange.ended).toBe(true);
});

test('a body that is there no more is none', async () => {
  const open = async () => {
    throw new ObjectStoreError('missing', 'no such object');
  };
  const bench = new StoredBench({ reading: large, open });
  expect((await bench.ask('only-if-cached')).problem.code).toBe('not-stored');
  expect((await bench.ask('max-stale')).bodyText).toBe('device');
});

test('a storage that cannot be read is said, and logged', async () => {
  const open = async () => {
    throw new ObjectStoreError('unavailable', 'down');
  };
  const bench = new StoredBench({ reading: large, open });
  expect((await bench.ask('only-if-cached')).problem.code).toBe('storage-unavailable');
  expect((await bench.ask('max-stale')).bodyText).toBe('device');
  expect(bench.failures).toHaveLength(1);
});

test('a stored body that is too short breaks off where the caller sees it', async () => {
  const bench = new StoredBench({ reading: large, open: async () => bytes('stor') });
  const exchange = await bench.ask('max-stale');
  expect([exchange.broken, exchange.ended, bench.given]).toEqual([true, false, []]);
  expect(bench.failures).toHaveLength(1);
});

test('a caller has so many stored answers on their way at most', async () => {
  const gate = Promise.withResolvers<void>();
  async function* slow(): AsyncGenerator<Uint8Array> {
    await gate.promise;
    yield Buffer.from('123456789');
  }
  const bench = new StoredBench({ reading: large, open: async () => slow(), pullsPerCaller: 1 });
  const first = bench.begin('max-stale');
  await expect.poll(() => first.status).toBe(200);
  expect((await bench.ask('max-stale')).problem.code).toBe('caller-busy');
  gate.resolve();
  await expect.poll(() => first.ended).toBe(true);
  expect((await bench.ask('max-stale')).bodyText).toBe('123456789');
});
