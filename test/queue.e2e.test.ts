import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { HeldOrigin } from './src/held-origin.ts';
import { until } from './src/until.ts';
import { World } from './src/world.ts';

let origin: HeldOrigin;
let world: World;

beforeAll(async () => {
  origin = await new HeldOrigin('upstream').start();
  world = await World.start({
    sources: origin.sources,
    agent: { redial: { baseMs: 50, capMs: 200 } },
  });
});
afterAll(async () => {
  await world?.stop();
  origin.stop();
});

beforeEach(() => {
  origin.asked.length = 0;
});
afterEach(() => origin.release());

interface State {
  readonly id: string;
  readonly state: string;
  readonly status?: number;
  readonly result?: string;
  readonly problem?: { readonly code: string; readonly retrySafe: boolean };
}

const ask = (path: string, init: RequestInit = {}, key = world.callerKey): Promise<Response> =>
  fetch(world.url + path, { ...init, headers: { 'Pullwire-Key': key, ...init.headers } });

/** Queues a pull; resolves with its place. */
async function queue(path: string, init: RequestInit = {}): Promise<string> {
  const headers = { Prefer: 'respond-async', ...init.headers };
  const answer = await world.pull('web', path, { ...init, headers });
  expect([answer.status, answer.headers.get('preference-applied')]).toEqual([202, 'respond-async']);
  expect(await answer.json()).toMatchObject({ state: 'queued', device: 'plant-7', source: 'web' });
  return answer.headers.get('location') ?? '';
}

const stateOf = async (place: string): Promise<State> =>
  (await ask(place)).json() as Promise<State>;

/** Asks until the pull has come to this state. */
async function comesTo(place: string, state: string): Promise<State> {
  for (;;) {
    const now = await stateOf(place);
    if (now.state === state) return now;
    if (!['queued', 'sent'].includes(now.state)) expect(now).toMatchObject({ state });
  }
}

const post = (body = 'x'): RequestInit => ({ method: 'POST', body });

test('a pull for a device that is there is delivered at once, and its result is the device’s answer', async () => {
  const place = await queue('/a', post());
  const done = await comesTo(place, 'done');
  expect(done).toMatchObject({ status: 200, result: `${place}/result` });
  const result = await ask(`${place}/result`);
  expect([result.status, await result.text()]).toEqual([200, 'upstream']);
  expect(result.headers.get('pullwire-answered-by')).toBe('upstream');
  expect(origin.asked).toEqual(['POST /a']);
});

test('pulls for a device that is off wait for it, and go in the order in which they were queued', async () => {
  await world.agent.stop();
  const places: string[] = [];
  for (const at of [1, 2, 3, 4, 5, 6]) places.push(await queue(`/${at}`, post()));
  expect(await stateOf(places[0] ?? '')).toMatchObject({ state: 'queued' });
  expect((await ask(`${places[0]}/result`)).status).toBe(409);
  await world.startAgent();
  const from = performance.now();
  await until(() => origin.asked.length > 0);
  expect(performance.now() - from).toBeLessThan(1_000);
  await until(() => origin.asked.length === 6);
  for (const place of places) await comesTo(place, 'done');
  expect(origin.asked.slice(0, 4).toSorted()).toEqual(['POST /1', 'POST /2', 'POST /3', 'POST /4']);
  expect(origin.asked.toSorted()).toEqual([1, 2, 3, 4, 5, 6].map((at) => `POST /${at}`));
});

test('a POST whose agent is killed in the middle ends as unknown and is not sent again; a GET is', async () => {
  const [posted, got] = [await queue('/held', post()), await queue('/held')];
  await until(() => origin.asked.length === 2);
  await world.agent.kill();
  expect(await comesTo(posted, 'unknown')).toMatchObject({
    problem: { code: 'outcome-unknown', retrySafe: false },
  });
  await world.startAgent();
  await until(() => origin.count('GET /held') === 2);
  origin.release();
  await comesTo(got, 'done');
  const result = await ask(`${posted}/result`);
  expect([result.status, ((await result.json()) as State['problem'])?.code]).toEqual([
    502,
    'outcome-unknown',
  ]);
  expect(origin.count('POST /held')).toBe(1);
});

test('kill -9 of the relay: what waits goes later, a POST that was out is unknown, a GET is sent again', async () => {
  const [posted, got] = [await queue('/held', post()), await queue('/held')];
  await until(() => origin.asked.length === 2);
  await world.agent.kill();
  await world.relay.kill();
  origin.release();
  await world.startRelay();
  const waiting = await queue('/later', post());
  expect(await stateOf(waiting)).toMatchObject({ state: 'queued' });
  await world.relay.kill();
  await world.startRelay();
  await world.startAgent();
  await comesTo(posted, 'unknown');
  await until(() => origin.count('GET /held') === 2);
  origin.release();
  await comesTo(got, 'done');
  await comesTo(waiting, 'done');
  expect(origin.count('POST /held')).toBe(1);
  expect(origin.count('POST /later')).toBe(1);
});

test('a relay that is told to stop waits for what is out, and keeps the answer', async () => {
  const place = await queue('/slow', post());
  await until(() => origin.asked.length === 1);
  const from = world.agent.lines.length;
  expect(await world.relay.stop()).toBe(0);
  await world.startRelay();
  await world.agent.line('link open', from);
  expect(await stateOf(place)).toMatchObject({ state: 'done', status: 200 });
  expect(origin.asked).toEqual(['POST /slow']);
});

test('nobody but the key that queued it may see it, or cancel it', async () => {
  await world.agent.stop();
  const place = await queue('/a', post());
  const other = await world.addKey(['--name', 'other', '--methods', '*']);
  const unknown = place.replace(/.{4}$/, 'AAAA');
  for (const [path, method] of [
    ['', 'GET'],
    ['', 'DELETE'],
    ['/result', 'GET'],
  ] as const) {
    const answers = await Promise.all([
      ask(place + path, { method }, other),
      ask(unknown + path, { method }),
    ]);
    const [foreign, none] = await Promise.all(answers.map((answer) => answer.text()));
    expect(answers.map(({ status }) => status)).toEqual([404, 404]);
    expect(foreign).toBe(none);
    expect((await fetch(world.url + place + path, { method })).status).toBe(401);
  }
  const cancelled = await ask(place, { method: 'DELETE' });
  expect([cancelled.status, await cancelled.json()]).toMatchObject([200, { state: 'cancelled' }]);
  expect((await ask(`${place}/result`)).status).toBe(410);
  await world.startAgent();
  await comesTo(await queue('/b', post()), 'done');
  expect(origin.asked).toEqual(['POST /b']);
});

test('a pull that is out is cancelled at the device too', async () => {
  const place = await queue('/held', post());
  await until(() => origin.asked.length === 1);
  const from = world.agent.lines.length;
  expect(await (await ask(place, { method: 'DELETE' })).json()).toMatchObject({
    state: 'cancelled',
    sentAt: expect.any(String),
  });
  await world.agent.line((line) => line['method'] === 'POST' && line['path'] === '/held', from);
  expect(await stateOf(place)).toMatchObject({ state: 'cancelled' });
});

test('a key that is revoked before the device is back takes its pulls with it', async () => {
  await world.agent.stop();
  const key = await world.addKey(['--name', 'gone', '--methods', '*']);
  const headers = { Prefer: 'respond-async', 'Pullwire-Key': key };
  expect((await world.pull('web', '/never', { ...post(), headers })).status).toBe(202);
  await world.operate(['key', 'revoke', key.split('_')[1] ?? '']);
  const from = world.relay.lines.length;
  await world.startAgent();
  const line = await world.relay.line('queued pull ended', from);
  expect(line).toMatchObject({ state: 'refused', code: 'caller-unauthenticated' });
  expect(origin.asked).toEqual([]);
});

test('one whose device does not come in time expires, and is never sent', async () => {
  await world.agent.stop();
  const place = await queue('/late', { ...post(), headers: { 'Pullwire-Deadline': '1' } });
  const expired = await comesTo(place, 'expired');
  expect(expired).toMatchObject({ problem: { code: 'pull-expired', retrySafe: true } });
  await world.startAgent();
  await comesTo(await queue('/b', post()), 'done');
  expect(origin.asked).toEqual(['POST /b']);
});

test('wait=N gives the answer itself where it comes in that time, else the place to ask', async () => {
  const wait = { Prefer: 'respond-async, wait=10' };
  const quick = await world.pull('web', '/a', { ...post(), headers: wait });
  expect([quick.status, await quick.text()]).toEqual([200, 'upstream']);
  expect(quick.headers.get('preference-applied')).toBe('wait=10');
  const held = await world.pull('web', '/held', {
    ...post(),
    headers: { Prefer: 'respond-async, wait=1' },
  });
  expect([held.status, await held.json()]).toMatchObject([202, { state: 'sent' }]);
  origin.release();
  await comesTo(held.headers.get('location') ?? '', 'done');
});

test('a body or a deadline that cannot be is refused before anything is queued', async () => {
  const headers = { Prefer: 'respond-async' };
  const large = await world.pull('web', '/a', { ...post('x'.repeat(8_388_609)), headers });
  expect([large.status, await large.json()]).toMatchObject([
    413,
    { code: 'request-body-too-large' },
  ]);
  const odd = { ...headers, 'Pullwire-Deadline': 'soon' };
  expect((await world.pull('web', '/a', { headers: odd })).status).toBe(400);
  expect(origin.asked).toEqual([]);
});

test('no log holds a key', () => {
  for (const secret of world.secrets) expect(world.logs).not.toContain(secret);
});
