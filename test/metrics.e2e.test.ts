import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Program } from './src/program.ts';
import { createOrigin, type TinyOrigin } from './src/tiny-origin.ts';
import { describeWith } from './src/tool.ts';
import { World } from './src/world.ts';

let origin: TinyOrigin;
let world: World;
const monitored = { health: { listen: '127.0.0.1:0' } };

beforeAll(async () => {
  origin = await createOrigin();
  const sources = { web: { kind: 'http', url: origin.url, allow: [{ paths: ['/**'] }] } };
  world = await World.start({
    sources,
    agent: monitored,
    relayArgs: ['--metrics-listen', '127.0.0.1:0'],
  });
  for (const path of ['/a', '/b', '/c']) expect((await world.pull('web', path)).status).toBe(200);
  expect((await world.pull('none', '/')).status).toBe(404);
  expect((await fetch(`${world.url}/devices`)).status).toBe(401);
  await fetch(world.url + world.path('web', '/x'), { headers: { 'Pullwire-Key': 'pwk_wrong' } });
  // No rule of the source allows it.
  await world.pull('web', '/d', { method: 'DELETE' });
});

afterAll(async () => {
  await world?.stop();
  await origin?.stop();
});

async function metricsOf(program: Program, msg: string): Promise<string> {
  const { port } = await program.line(msg, 0);
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
  expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  return answer.text();
}
const ofRelay = () => metricsOf(world.relay, 'metrics can be read here');
const ofAgent = (agent = world.agent) => metricsOf(agent, 'monitors can ask here');

/** By name and labels, as they are written. */
function valuesOf(text: string): ReadonlyMap<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))] as const;
    }),
  );
}

test('the agent counts its link and its pulls', async () => {
  const values = valuesOf(await ofAgent());
  expect(Object.fromEntries(values)).toMatchObject({
    pullwire_agent_link_up: 1,
    pullwire_agent_link_opened_total: 1,
    'pullwire_agent_pulls_total{source="web",outcome="done"}': 3,
    'pullwire_agent_pulls_total{source="web",outcome="refused-by-policy"}': 1,
    'pullwire_agent_pull_duration_seconds_count{source="web"}': 4,
    pullwire_agent_pulls_in_flight: 0,
  });
  // Three times `GET /x`.
  expect(values.get('pullwire_agent_pull_reply_bytes_total{source="web"}')).toBe(18);
  for (const way of ['received', 'sent']) {
    expect(values.get(`pullwire_agent_link_${way}_bytes_total`)).toBeGreaterThan(500);
  }
});

test('the relay counts links, pulls by outcome and stage, and whom it refused', async () => {
  const values = valuesOf(await ofRelay());
  expect(Object.fromEntries(values)).toMatchObject({
    pullwire_relay_links: 1,
    pullwire_relay_links_opened_total: 1,
    'pullwire_relay_pulls_total{outcome="done",stage="none"}': 3,
    'pullwire_relay_pulls_total{outcome="refused-by-policy",stage="policy"}': 1,
    pullwire_relay_pulls_in_flight: 0,
    pullwire_relay_pulls_waiting: 0,
    pullwire_relay_registry_writes_waiting: 0,
    pullwire_relay_link_queued_bytes: 0,
    pullwire_relay_pull_duration_seconds_count: 4,
    pullwire_relay_pull_reply_bytes_total: 18,
  });
  const refused = [...values].filter(([name]) => name.startsWith('pullwire_relay_callers_refused'));
  expect(refused.reduce((sum, [, value]) => sum + value, 0)).toBe(2);
  expect(values.get('pullwire_relay_event_loop_lag_seconds_count')).toBeGreaterThan(0);
});

test('a fleet makes no more of the relay’s metrics', async () => {
  const namesBefore = new Set(valuesOf(await ofRelay()).keys());
  const sources = { web: { kind: 'http', url: origin.url, allow: [{ paths: ['/**'] }] } };
  const others = ['line-1', 'line-2', 'line-3'];
  const agents = [];
  for (const device of others) {
    agents.push(await world.startFurtherAgent(device, sources));
    const answer = await fetch(`${world.url}/devices/${device}/sources/web/a`, {
      headers: { 'Pullwire-Key': world.callerKey },
    });
    expect(answer.status).toBe(200);
  }
  const text = await ofRelay();
  expect([...valuesOf(text).keys()].filter((name) => !namesBefore.has(name))).toEqual([]);
  for (const word of [...others, world.device, 'ops', 'web'])
    expect(text).not.toContain(`"${word}"`);
  for (const agent of agents) await agent.stop();
});

describeWith(['promtool'], 'Prometheus', ({ promtool }) => {
  test.each([
    ['agent', ofAgent],
    ['relay', ofRelay],
  ] as const)('finds nothing wrong with the metrics of the %s', async (_name, metrics) => {
    const input = await metrics();
    const { status, stdout, stderr } = spawnSync(promtool, ['check', 'metrics'], {
      input,
      encoding: 'utf8',
    });
    expect([stdout, stderr, status]).toEqual(['', '', 0]);
  });
});

test('an agent that has lost its relay says so, and why it dials again', async () => {
  const dialsAgain = world.agent.line((line) => line['waitMs'] !== undefined);
  await world.relay.stop();
  await dialsAgain;
  const values = valuesOf(await ofAgent());
  expect(values.get('pullwire_agent_link_up')).toBe(0);
  const redials = [...values].filter(([name]) =>
    name.startsWith('pullwire_agent_link_redials_total'),
  );
  expect(redials.map(([name]) => name)).toContainEqual(
    expect.stringMatching(/reason="(bye-[a-z]+|lost|unreachable)"/),
  );
  expect(redials.reduce((sum, [, value]) => sum + value, 0)).toBeGreaterThan(0);
});
