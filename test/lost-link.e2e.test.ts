import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { HeldOrigin } from './src/held-origin.ts';
import { PathAgent } from './src/path-agent.ts';
import { until } from './src/until.ts';
import { World } from './src/world.ts';

let world: World;
let origin: HeldOrigin;
let agent: PathAgent;
let devices = 0;

beforeAll(async () => {
  world = await World.start({ sources: {} });
});
afterAll(() => world?.stop());

beforeEach(async () => {
  origin = await new HeldOrigin('upstream').start();
  devices += 1;
  agent = await PathAgent.start(world, `cut-${devices}`, origin.sources);
});
afterEach(async () => {
  await agent?.program.stop();
  await agent?.stop();
  origin.stop();
});

const pull = (path: string, init: RequestInit = {}): Promise<Response> => {
  const headers = { 'Pullwire-Key': world.callerKey, ...init.headers };
  const url = `${world.url}/devices/${agent.device}/sources/web${path}`;
  return fetch(url, { ...init, headers });
};
const said = async (answer: Promise<Response>): Promise<unknown[]> => {
  const { status, headers } = await answer;
  const text = await (await answer).text();
  const isProblem = headers.get('content-type') === 'application/problem+json';
  return [status, isProblem ? (JSON.parse(text) as { code: string }).code : text];
};
const offline = async (): Promise<void> => {
  for (;;) if ((await agent.shown())['presence'] === 'offline') return;
};

test('a GET under way when the path is cut is answered over the next link, a POST is not sent twice', async () => {
  const [got, posted] = [said(pull('/held')), said(pull('/held', { method: 'POST', body: 'x' }))];
  await until(() => origin.asked.length === 2);
  agent.path.reset();
  expect(await posted).toEqual([502, 'link-lost']);
  await until(() => origin.count('GET /held') === 2);
  origin.release();
  expect(await got).toEqual([200, 'upstream']);
  expect(origin.count('POST /held')).toBe(1);
});

test('pulls of any method that come while there is no link go down the next one', async () => {
  await agent.path.refuse();
  agent.path.reset();
  await offline();
  const answers = [said(pull('/a')), said(pull('/b', { method: 'POST', body: 'x' }))];
  while ((await world.relay.snapshot())['pullsWaiting'] !== 2);
  await agent.path.accept();
  expect(await Promise.all(answers)).toEqual([
    [200, 'upstream'],
    [200, 'upstream'],
  ]);
  expect(origin.asked.toSorted()).toEqual(['GET /a', 'POST /b']);
});

test('a device that does not come back is offline: after the time that its caller gave', async () => {
  await agent.program.kill();
  await offline();
  const from = performance.now();
  expect(await said(pull('/a', { headers: { Prefer: 'wait=1' } }))).toEqual([
    503,
    'device-offline',
  ]);
  expect(performance.now() - from).toBeGreaterThan(900);
  expect(await said(pull('/a'))).toEqual([503, 'device-offline']);
  expect(performance.now() - from).toBeLessThan(6_500);
});

test('a device that said goodbye is offline at once', async () => {
  await agent.program.stop();
  await offline();
  const from = performance.now();
  expect(await said(pull('/a', { headers: { Prefer: 'wait=20' } }))).toEqual([
    503,
    'device-offline',
  ]);
  expect(performance.now() - from).toBeLessThan(2_000);
});
