import { PullFault } from '@pullwire/shared';
import { ManualClock } from '@pullwire/shared/manual-clock';
import { beforeEach, expect, test } from 'vitest';
import { FakeExchange, type FakeExchangeInit } from '../../test/fake-exchange.ts';
import type { AuthenticatedCaller } from '../auth/callers.ts';
import { compileGrants } from '../auth/grants.ts';
import { EventService } from './event-service.ts';
import { PresenceFeed } from './presence-feed.ts';

let clock: ManualClock;
let feed: PresenceFeed;
let service: EventService;
/** Who the next look-up finds; undefined: the key does not hold. */
let known: AuthenticatedCaller | undefined;

const callerOf = (devices: string[], labels = {}, id = 'k1'): AuthenticatedCaller => ({
  ...{ id, name: 'ops', credential: 'pullwire-key' },
  grants: compileGrants([{ devices, labels, sources: ['*'], methods: ['GET'] }], () => 0),
});

beforeEach(() => {
  clock = new ManualClock();
  feed = new PresenceFeed(clock, 'run1');
  known = callerOf(['*']);
  service = new EventService({
    callers: {
      authenticate: () => {
        if (known !== undefined) return known;
        throw new PullFault('caller-unauthenticated', 'caller-auth', { detail: 'no' });
      },
    },
    log: feed.log,
    clock,
  });
});

function came(device: string, labels: Readonly<Record<string, string>> = {}): void {
  const since = clock.wall();
  feed.changed({ device, labels, presence: 'connected', instance: 'main', since });
}

async function open(init: FakeExchangeInit = {}, query?: string): Promise<FakeExchange> {
  const exchange = new FakeExchange({ target: '/events', ...init });
  await service.open(exchange, query);
  return exchange;
}

/** Events that were written, each as `type device`. */
function heard({ bodyText }: FakeExchange): string[] {
  return [...bodyText.matchAll(/^event: (\w+)\ndata: (.*)$/gm)].map(([, type, data]) => {
    const { device, why } = JSON.parse(data ?? '') as { device?: string; why?: string };
    return `${type} ${device ?? why}`;
  });
}

/** Lets looks at the key come to their end: they take some turns of promises. */
async function pass(ms: number): Promise<void> {
  for (let gone = 0; gone < ms; gone += 1_000) {
    clock.advance(1_000);
    for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
  }
}

test('a stream begins now, and says where it is before anything happens', async () => {
  came('before');
  const stream = await open();
  expect(stream.status).toBe(200);
  expect(stream.answerHeaders).toContain('text/event-stream');
  expect(stream.bodyText).toBe('retry: 3000\nid: run1-1\n\n');
  came('plant-7');
  expect(stream.bodyText.split('\n\n')[1]).toBe(
    'id: run1-2\nevent: connected\ndata: {"device":"plant-7","presence":"connected",' +
      '"since":"1970-01-01T00:00:00.000Z","instance":"main","at":"1970-01-01T00:00:00.000Z"}',
  );
});

test('one that comes back hears what it has missed, and then what comes', async () => {
  for (const device of ['a', 'b', 'c']) came(device);
  const stream = await open({ headers: ['Last-Event-ID', 'run1-1'] });
  came('d');
  expect(heard(stream)).toEqual(['connected b', 'connected c', 'connected d']);
});

test.each([
  ['run0-5', 'other-run'],
  ['run1-1', 'too-old'],
])('one that cannot go on from %s is told so, and goes on from now', async (id, why) => {
  for (let n = 0; n < 12_000; n += 1) came(`d${n}`);
  const stream = await open({ headers: ['Last-Event-ID', id] });
  came('next');
  expect(heard(stream)).toEqual([`reset ${why}`, 'connected next']);
  expect(stream.bodyText).toContain('id: run1-12000\nevent: reset');
});

test('nobody hears of a device that he may not see, and of no other than he asked for', async () => {
  known = callerOf(['plant-*'], { site: 'north' });
  const stream = await open({}, 'device=plant-7&device=plant-8');
  came('plant-7', { site: 'north' });
  came('plant-7', { site: 'south' });
  came('plant-8');
  came('plant-9', { site: 'north' });
  came('gate', { site: 'north' });
  expect(heard(stream)).toEqual(['connected plant-7']);
});

test('a grant that was taken away or changed holds for what comes within 3 s', async () => {
  const stream = await open();
  known = callerOf(['plant-8']);
  await pass(3_000);
  for (const device of ['plant-7', 'plant-8']) came(device);
  expect(heard(stream)).toEqual(['connected plant-8']);
});

test('a key that does not hold any more ends the stream, cleanly', async () => {
  const stream = await open();
  known = undefined;
  await pass(3_000);
  came('plant-7');
  expect([stream.ended, heard(stream), service.size, clock.pending]).toEqual([true, [], 0, 0]);
});

test('a caller that takes nothing fills no memory, hears all of it when it does, or is ended after 30 s', async () => {
  const stream = await open();
  stream.takes = false;
  for (let n = 0; n < 5_000; n += 1) came(`d${n}`);
  expect(stream.pendingBytes).toBeLessThan(66_000);
  for (let n = 0; n < 50; n += 1) stream.take();
  expect(heard(stream)).toHaveLength(5_000);
  came('more');
  await pass(27_000);
  expect(stream.broken).toBe(false);
  await pass(3_000);
  expect([stream.broken, service.size, clock.pending]).toEqual([true, 0, 0]);
});

test('one that is slower than the log remembers is ended', async () => {
  const stream = await open();
  stream.takes = false;
  for (let n = 0; n < 12_000; n += 1) came(`d${n}`);
  expect([stream.broken, service.size]).toEqual([true, 0]);
});

test('silence has a sign of life every 15 s', async () => {
  const stream = await open();
  await pass(30_000);
  expect(stream.bodyText.match(/^: still here$/gm)).toHaveLength(2);
});

test('a caller that leaves leaves nothing behind', async () => {
  const stream = await open();
  stream.leave();
  came('plant-7');
  expect([heard(stream), service.size, clock.pending]).toEqual([[], 0, 0]);
});

test('HEAD says what it would be; without a key nothing is said', async () => {
  const head = await open({ method: 'HEAD' });
  expect([head.status, head.bodyText, head.ended, service.size]).toEqual([200, '', true, 0]);
  known = undefined;
  const exchange = new FakeExchange({ target: '/events' });
  await expect(service.open(exchange, undefined)).rejects.toMatchObject({ status: 401 });
  expect(exchange.headSent).toBe(false);
});

test('a caller has 16 streams at most, and the relay so many that others find room', async () => {
  for (let n = 0; n < 16; n += 1) await open();
  await expect(open()).rejects.toMatchObject({ code: 'caller-busy' });
  for (let caller = 2; caller <= 64; caller += 1) {
    known = callerOf(['*'], {}, `k${caller}`);
    for (let n = 0; n < 16; n += 1) await open();
  }
  known = callerOf(['*'], {}, 'late');
  await expect(open()).rejects.toMatchObject({ code: 'relay-full' });
});

test('when the relay shuts down every stream ends, also one that takes nothing', async () => {
  const [stream, stuck] = [await open(), await open()];
  stuck.pendingBytes = 10;
  service.stop();
  expect([stream.ended, stuck.broken, service.size, clock.pending]).toEqual([true, true, 0, 0]);
});
