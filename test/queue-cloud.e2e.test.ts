import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { SkippingClock } from '../cloud/test/aws/skipping-clock.ts';
import { CloudWorld } from './src/cloud-world.ts';
import { HeldOrigin } from './src/held-origin.ts';
import { until } from './src/until.ts';

interface State {
  readonly state: string;
  readonly status?: number;
  readonly problem?: { readonly code: string };
}

const post = { method: 'POST', body: 'x' };

/** A seed shuffles, doubles and delays messages both ways; `$disconnect` may be lost. */
describe.each([
  ['in order', undefined],
  ['shuffled, doubled and delayed, seed 1', 1],
  ['shuffled, doubled and delayed, seed 2', 2],
] as const)('queued pulls through API Gateway and Lambda, %s', (_, seed) => {
  let origin: HeldOrigin;
  let world: CloudWorld;
  beforeAll(async () => {
    origin = await new HeldOrigin('upstream').start();
    world = await CloudWorld.start({
      sources: origin.sources,
      ...(seed === undefined ? undefined : { seed }),
    });
  });
  afterAll(async () => {
    await world?.stop();
    origin.stop();
  });
  afterEach(() => origin.release());

  const ask = (path: string, init: RequestInit = {}) =>
    fetch(world.url + path, { ...init, headers: { 'Pullwire-Key': world.callerKey } });

  const queue = async (path: string, init: RequestInit = {}): Promise<string> => {
    const answer = await world.pull('web', path, { ...init, headers: { Prefer: 'respond-async' } });
    expect(answer.status).toBe(202);
    return answer.headers.get('location') ?? '';
  };

  const comesTo = async (place: string, wanted: string): Promise<State> => {
    for (;;) {
      const now = (await (await ask(place)).json()) as State;
      if (now.state === wanted) return now;
      if (!['queued', 'sent'].includes(now.state)) expect(now).toMatchObject({ state: wanted });
    }
  };

  test('to a device that is there go at once, and are executed once', async () => {
    const places = await Promise.all([1, 2, 3, 4, 5, 6].map((at) => queue(`/now/${at}`, post)));
    for (const place of places) {
      expect(await comesTo(place, 'done')).toMatchObject({ status: 200 });
      const result = await ask(`${place}/result`);
      expect([result.status, await result.text()]).toEqual([200, 'upstream']);
    }
    await world.aws.gateway.settled();
    for (const at of [1, 2, 3, 4, 5, 6]) expect(origin.count(`POST /now/${at}`)).toBe(1);
  });

  test('to a device that is off go when it is back, and are executed once', async () => {
    await world.stopAgent();
    const places: string[] = [];
    for (const at of [1, 2, 3, 4, 5, 6]) places.push(await queue(`/${at}`, post));
    const before = origin.asked.length;
    await world.startAgentAgain();
    const from = performance.now();
    await until(() => origin.asked.length > before);
    const tookMs = performance.now() - from;
    await until(() => origin.asked.length === before + 6);
    for (const place of places) await comesTo(place, 'done');
    await world.aws.gateway.settled();
    for (const at of [1, 2, 3, 4, 5, 6]) expect(origin.count(`POST /${at}`)).toBe(1);
    if (seed === undefined) expect(tookMs).toBeLessThan(1_000);
  });

  test('to a connection that is gone unnoticed wait for the next one', async () => {
    await world.agents[0]?.kill();
    const place = await queue('/gone', post);
    await world.startAgentAgain();
    await comesTo(place, 'done');
    await world.aws.gateway.settled();
    expect(origin.count('POST /gone')).toBe(1);
  });

  test('their replies are kept, by frames, as an object, and as one of two parts', async () => {
    const sizes = [88_000, 88_001, 12_000_000];
    const places = await Promise.all(sizes.map((bytes) => queue(`/bytes/${bytes}`)));
    for (const [at, bytes] of sizes.entries()) {
      const place = places[at] ?? '';
      expect(await comesTo(place, 'done')).toMatchObject({ status: 200, bytes });
      const kept = await (await ask(`${place}/result`)).bytes();
      expect([kept.length, kept.every((byte) => byte === 0x78)]).toEqual([bytes, true]);
    }
    await world.aws.gateway.settled();
    const objects = await world.aws.storedObjects();
    expect(objects.filter((key) => key.startsWith('queue/'))).toHaveLength(2);
  });

  test('are cancelled, while they wait and while they are out', async () => {
    const before = origin.count('POST /held');
    const place = await queue('/held', post);
    await until(() => origin.count('POST /held') > before);
    expect(await (await ask(place, { method: 'DELETE' })).json()).toMatchObject({
      state: 'cancelled',
    });
    origin.release();
    await world.aws.gateway.settled();
    expect((await ask(`${place}/result`)).status).toBe(410);
    expect(origin.count('POST /held') - before).toBe(1);
  });
});

test('a post whose answer is lost is not made again: the pull ends by the word of its device', async () => {
  const origin = await new HeldOrigin('upstream').start();
  const world = await CloudWorld.start({ sources: origin.sources });
  try {
    world.aws.gateway.faults.failCall({
      status: 0,
      carriedOut: true,
      when: ({ text }) => text.includes('"action":"pull"'),
    });
    const answer = await world.pull('web', '/once', {
      ...post,
      headers: { Prefer: 'respond-async, wait=20' },
    });
    expect([answer.status, await answer.text()]).toEqual([200, 'upstream']);
    await world.aws.gateway.settled();
    expect(origin.asked).toEqual(['POST /once']);
  } finally {
    await world.stop();
    origin.stop();
  }
});

test('an agent that is killed in the middle: its POST is unknown when its time has passed, its GET goes again', async () => {
  const origin = await new HeldOrigin('upstream').start();
  const httpClock = new SkippingClock();
  const world = await CloudWorld.start({ sources: origin.sources, httpClock });
  const headers = { 'Pullwire-Key': world.callerKey };
  const stateOf = async (place: string) =>
    (await (await fetch(world.url + place, { headers })).json()) as State;
  const queue = async (init: RequestInit) => {
    const answer = await world.pull('web', '/held', {
      ...init,
      headers: { Prefer: 'respond-async' },
    });
    return answer.headers.get('location') ?? '';
  };
  try {
    const [posted, got] = [await queue(post), await queue({})];
    await until(() => origin.asked.length === 2);
    await world.agents[0]?.kill();
    await world.aws.gateway.settled();
    expect((await stateOf(posted)).state).toBe('sent');
    httpClock.skip(600_001);
    expect(await stateOf(posted)).toMatchObject({
      state: 'unknown',
      problem: { code: 'outcome-unknown' },
    });
    expect((await stateOf(got)).state).toBe('queued');
    httpClock.skip(-600_001); // the functions' clocks agree again
    await world.startAgentAgain();
    await until(() => origin.count('GET /held') === 2);
    origin.release();
    await expect.poll(() => stateOf(got)).toMatchObject({ state: 'done', status: 200 });
    expect(origin.count('POST /held')).toBe(1);
  } finally {
    await world.stop();
    origin.stop();
  }
});
