import { PullFault } from '@pullwire/shared';
import { ManualClock } from '@pullwire/shared/manual-clock';
import { beforeEach, expect, test } from 'vitest';
import { FakeExchange } from '../../test/fake-exchange.ts';
import type { AuthenticatedCaller } from '../auth/callers.ts';
import { compileGrants } from '../auth/grants.ts';
import type { Device, LinkRecord } from '../registry/registry.ts';
import { link, profile } from '../registry/registry-sample.ts';
import { EventPoll } from './event-poll.ts';

let clock: ManualClock;
let fleet: Map<string, Device>;
let known: AuthenticatedCaller | undefined;
let poll: EventPoll;
/** Pages and devices that were read. */
let reads: string[];

beforeEach(() => {
  clock = new ManualClock();
  clock.advance(1_000_000);
  fleet = new Map();
  reads = [];
  known = callerOf(['*']);
  poll = new EventPoll({
    callers: {
      authenticate: () => {
        if (known !== undefined) return known;
        throw new PullFault('caller-unauthenticated', 'caller-auth', { detail: 'no key' });
      },
    },
    store: {
      device: async (id) => {
        reads.push(id);
        return fleet.get(id);
      },
      devices: async ({ after, limit }) => {
        reads.push(`after ${after ?? ''}`);
        const ids = [...fleet.keys()].sort().filter((id) => after === undefined || id > after);
        const items = ids.slice(0, limit).map((id) => fleet.get(id) as Device);
        const next = ids.length > limit ? ids[limit - 1] : undefined;
        return next === undefined ? { items } : { items, next };
      },
      proofOf: ({ closedAt }) =>
        closedAt === undefined ? { lastProofAt: 0, proofDueAt: 9e9 } : undefined,
    },
    clock,
  });
});

const callerOf = (devices: string[]): AuthenticatedCaller => ({
  ...{ id: 'k1', name: 'ops', credential: 'pullwire-key' },
  grants: compileGrants([{ devices, sources: ['*'], methods: ['GET'] }], () => 0),
});

function put(device: string, changes: Partial<LinkRecord> = {}, at = clock.wall()): void {
  const record = { ...profile, device };
  fleet.set(device, { record, links: [link({ device, connectedAt: at, ...changes })] });
}
const went = (device: string, from = clock.wall() - 10): void =>
  put(device, { closedAt: clock.wall(), closedWhy: 'link-lost' }, from);

interface Asked {
  readonly exchange: FakeExchange;
  readonly done: Promise<void>;
}

function ask(lastEventId?: string, query?: string): Asked {
  const headers = lastEventId === undefined ? [] : ['Last-Event-ID', lastEventId];
  const exchange = new FakeExchange({ target: '/events', headers });
  return { exchange, done: poll.open(exchange, query) };
}

/** Time goes on until it is answered. */
async function answered({ exchange, done }: Asked): Promise<string> {
  for (let second = 0; second < 60 && !exchange.ended; second += 1) {
    for (let turn = 0; turn < 300; turn += 1) await Promise.resolve();
    if (!exchange.ended) clock.advance(1_000);
  }
  await done;
  return exchange.bodyText;
}

const lastId = (text: string): string => [...text.matchAll(/^id: (.*)$/gm)].at(-1)?.[1] ?? '';
const heard = (text: string): string[] =>
  [...text.matchAll(/^event: (\w+)\ndata: (.*)$/gm)].map(([, type, data]) => {
    const { device, why } = JSON.parse(data ?? '') as { device?: string; why?: string };
    return `${type} ${device ?? why}`;
  });

test('who begins hears nothing of before, and ends after 25 s without an event, with where it goes on', async () => {
  put('plant-7');
  const before = clock.monotonic();
  const text = await answered(ask());
  expect([clock.monotonic() - before, heard(text)]).toEqual([25_000, []]);
  expect(text).toMatch(/^retry: 1000\nid: l\.\w+\.[\w-]{4}\n\n/);
  went('plant-7');
  expect(heard(await answered(ask(lastId(text))))).toEqual(['offline plant-7']);
});

test('what happens while it waits ends the wait', async () => {
  const asked = ask();
  for (let turn = 0; turn < 300; turn += 1) await Promise.resolve();
  put('plant-7');
  const before = clock.monotonic();
  expect(heard(await answered(asked))).toEqual(['connected plant-7']);
  expect(clock.monotonic() - before).toBe(5_000);
});

test('nothing is told twice, and what becomes visible two minutes late is not lost', async () => {
  const begun = lastId(await answered(ask()));
  put('plant-7');
  const first = await answered(ask(begun));
  expect(heard(first)).toEqual(['connected plant-7']);
  put('late', {}, clock.wall() - 100_000);
  const second = await answered(ask(lastId(first)));
  expect(heard(second)).toEqual(['connected late']);
  expect(heard(await answered(ask(lastId(second))))).toEqual([]);
});

test('a client that breaks off in the middle goes on after what it has read', async () => {
  const begun = lastId(await answered(ask()));
  for (const id of ['a', 'b', 'c']) {
    put(id);
    clock.advance(1);
  }
  const text = await answered(ask(begun));
  expect(heard(text)).toEqual(['connected a', 'connected b', 'connected c']);
  const second = [...text.matchAll(/^id: (.*)\nevent/gm)][1]?.[1];
  expect(heard(await answered(ask(second)))).toEqual(['connected c']);
});

test('a link that follows another one is no event; of several changes the last is told', async () => {
  put('plant-7');
  const begun = lastId(await answered(ask()));
  const since = fleet.get('plant-7')?.links[0]?.connectedAt ?? 0;
  put('plant-7', { upSince: since, connectionId: 'c-2' });
  expect(heard(await answered(ask(begun)))).toEqual([]);
  went('plant-7');
  clock.advance(100);
  put('plant-7');
  expect(heard(await answered(ask(begun)))).toEqual(['connected plant-7']);
});

test('one that flaps is told once, and again when it has settled', async () => {
  const begun = lastId(await answered(ask()));
  const now = clock.wall();
  put('plant-7', { ups: [now - 30_000, now - 20_000, now - 10_000, now] });
  const first = await answered(ask(begun));
  expect(heard(first)).toEqual(['flapping plant-7']);
  const second = await answered(ask(lastId(first)));
  expect(heard(second)).toEqual([]);
  const third = await answered(ask(lastId(second)));
  expect(heard(third)).toEqual([]);
  expect(heard(await answered(ask(lastId(third))))).toEqual(['connected plant-7']);
});

test('nobody hears of what he may not see, or did not ask for; devices that are named are all that is read', async () => {
  known = callerOf(['plant-*']);
  const begun = lastId(await answered(ask(undefined, 'device=plant-7')));
  for (const id of ['plant-7', 'plant-8', 'gate']) put(id);
  reads = [];
  expect(heard(await answered(ask(begun, 'device=plant-7&device=gate&device=nobody')))).toEqual([
    'connected plant-7',
  ]);
  expect(reads).toEqual(['plant-7', 'gate', 'nobody']);
  expect(heard(await answered(ask(begun)))).toEqual(['connected plant-7', 'connected plant-8']);
});

test('a look at a large fleet is made as much more seldom as it costs', async () => {
  for (let n = 0; n < 1_000; n += 1) put(`d${String(n).padStart(4, '0')}`, {}, 1_000);
  const text = await answered(ask());
  expect(reads).toHaveLength(20);
  expect(text).toMatch(/^retry: 25000$/m);
});

test('more changes than an id can name end in a reset, so that nothing is missed', async () => {
  const begun = lastId(await answered(ask()));
  for (let n = 0; n < 500; n += 1) put(`d${n}`);
  const text = await answered(ask(begun));
  expect([heard(text).length, heard(text).at(-1)]).toEqual([501, 'reset too-many']);
  expect(heard(await answered(ask(lastId(text))))).toEqual([]);
});

test.each([
  ['run1-7', 'reset other-run'],
  ['l.1.', 'reset too-old'],
])('an id that is none of this host’s (%s) is answered at once', async (id, what) => {
  clock.advance(2e9);
  const { exchange, done } = ask(id);
  await done;
  expect(heard(exchange.bodyText)).toEqual([what]);
});

test('a key that does not hold any more ends the wait, and says why; before it, it is a 401', async () => {
  const asked = ask();
  for (let turn = 0; turn < 300; turn += 1) await Promise.resolve();
  known = undefined;
  expect(await answered(asked)).toMatch(/: no key\n\n$/);
  await expect(ask().done).rejects.toMatchObject({ status: 401 });
});

test('a mistake of ours breaks the answer off, and says nothing of itself', async () => {
  const asked = ask();
  const failed = expect(asked.done).rejects.toThrow('hunter2');
  for (let turn = 0; turn < 300; turn += 1) await Promise.resolve();
  fleet.keys = () => {
    throw new Error('hunter2');
  };
  clock.advance(5_000);
  await failed;
  expect([asked.exchange.broken, asked.exchange.bodyText.includes('hunter2')]).toEqual([
    true,
    false,
  ]);
});
