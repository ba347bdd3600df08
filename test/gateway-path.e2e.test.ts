import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { GatewayConnection } from '../cloud/test/gateway/gateway-connection.ts';
import { CloudWorld } from './src/cloud-world.ts';
import { EndlessOrigin } from './src/endless-origin.ts';
import { PathAgent, type Transfer } from './src/path-agent.ts';
import type { LogLine, Program } from './src/program.ts';
import type { TcpPath } from './src/tcp-path.ts';
import { until } from './src/until.ts';

const long = process.env['PULLWIRE_LONG'] === '1';
const rounds = long ? 20 : 1;

const heartbeat = { intervalMs: 1_000, timeoutMs: 1_000 };
/** A keep-alive goes out within one interval, its answer is due within the time-out; behind data within another; and a second for this machine. */
const boundMs = 2 * heartbeat.intervalMs + heartbeat.timeoutMs + 1_000;
/** Bytes a second: what was on its way is heard for longer than the path lives, and here for half a second. */
const slow = 1_500_000;
const transfer = { bytes: 800_000, underWay: 60_000 };

const directions = ['agent→gateway', 'gateway→agent', 'both'] as const;
const loads = ['idle', 'mid-upload', 'mid-download'] as const;
type Direction = (typeof directions)[number];
type Load = (typeof loads)[number];

const cases = loads.flatMap((load) => directions.map((direction) => ({ load, direction })));
const nameOf = (load: Load, direction: Direction): string =>
  `${load}-${directions.indexOf(direction)}`;

const origin = new EndlessOrigin();
let sources: Readonly<Record<string, unknown>>;
beforeAll(async () => {
  const url = await origin.start();
  const allow = [{ paths: ['/**'], methods: ['GET', 'PUT'] }];
  sources = { web: { kind: 'http', url, allow, limits: { timeoutMs: 60_000 } } };
});
afterAll(() => origin.stop());

const isNoLink = (line: LogLine): boolean => line.msg?.startsWith('no link') === true;

function pathsOf({ path }: PathAgent, direction: Direction): TcpPath[] {
  if (direction === 'both') return [path.up, path.down];
  return [direction === 'agent→gateway' ? path.up : path.down];
}

async function loaded(agent: PathAgent, load: Load): Promise<Transfer | undefined> {
  if (load === 'mid-download') return agent.download('/endless/events', transfer);
  if (load === 'idle') return undefined;
  const path = `/${agent.device}`;
  return agent.upload(path, () => origin.taken(path), transfer);
}

/** Resolves when the agent has nothing in flight. */
async function quiet(program: Program): Promise<LogLine> {
  for (;;) {
    const snapshot = await program.snapshot();
    const { inFlight } = snapshot['pulls'] as { inFlight: number };
    if (inFlight === 0) return snapshot;
  }
}

/** The connections of a device that the gateway holds. */
function connectionsOf({ aws }: CloudWorld, device: string): readonly GatewayConnection[] {
  return aws.gateway.connections.filter(({ authorizer }) => authorizer?.['device'] === device);
}

function connectionOf(world: CloudWorld, { device }: PathAgent): GatewayConnection {
  const [connection] = connectionsOf(world, device);
  if (connection === undefined) throw new Error(`the gateway holds no link of ${device}`);
  return connection;
}

/** Resolves when the function has been told of its end, well or not. */
function disconnected({ aws }: CloudWorld, connection: GatewayConnection): Promise<void> {
  return new Promise((resolve) => {
    aws.gateway.events.on('disconnected', (gone) => {
      if (gone === connection) resolve();
    });
  });
}

/** It serves pulls, and everybody agrees on its one link. */
async function expectWhole(world: CloudWorld, agent: PathAgent): Promise<void> {
  expect(await agent.pull()).toBe('200 /short');
  expect(await agent.shown('?probe=1')).toMatchObject({
    presence: 'connected',
    links: [{ state: 'connected', probe: { answered: true } }],
  });
  await until(() => connectionsOf(world, agent.device).length === 1);
  expect(await world.aws.registry.link(agent.device, 'main')).toMatchObject({
    connectionId: connectionOf(world, agent).id,
  });
  expect(await quiet(agent.program)).toMatchObject({ link: { state: 'open', waitingBytes: 0 } });
}

/** The path of its link is a hole, and there is no way to another. Resolves when the agent knows. */
async function strand(agent: PathAgent): Promise<void> {
  const lost = agent.program.line(isNoLink);
  await agent.path.refuse();
  agent.path.forget();
  await lost;
}

/** A function may believe for a second more that the device is offline. */
async function comesBack(agent: PathAgent): Promise<void> {
  const back = agent.program.line('link open');
  await agent.path.accept();
  await back;
  while ((await agent.pull()).startsWith('503 ')) await agent.program.snapshot();
}

describe('a black hole in the path of a link to the gateway', () => {
  const agents = new Map<string, PathAgent>();
  const seen: { load: Load; agentMs: number; endMs: number; end: unknown }[] = [];
  let world: CloudWorld;
  const strandedNames = ['pulled', 'probed'];

  beforeAll(async () => {
    world = await CloudWorld.start({ sources, agents: 0, heartbeat });
    const names = cases.map(({ load, direction }) => nameOf(load, direction));
    await Promise.all(
      [...names, ...strandedNames].map(async (name) => {
        agents.set(name, await PathAgent.start(world, name, sources));
      }),
    );
  });
  afterAll(async () => {
    for (const agent of agents.values()) await agent.stop();
    await world?.stop();
  });

  function agentCalled(name: string): PathAgent {
    const agent = agents.get(name);
    if (agent === undefined) throw new Error(`there is no agent ${name}`);
    return agent;
  }

  test.concurrent.each(cases)(
    `$load, $direction: the agent notices within 2 keep-alives, and a new link serves pulls; rounds: ${rounds}`,
    { timeout: 60_000 * rounds + 60_000 },
    async ({ load, direction }) => {
      const agent = agentCalled(nameOf(load, direction));
      agent.path.up.throttle(slow);
      agent.path.down.throttle(slow);
      for (let round = 0; round < rounds; round += 1) {
        const under = await loaded(agent, load);
        const lost = agent.program.line(isNoLink);
        const back = agent.program.line('link open');
        const from = Date.now();
        for (const path of pathsOf(agent, direction)) path.forget();
        const agentMs = Number(new Date(String((await lost)['time']))) - from;
        await back;
        expect(await agent.pull()).toBe('200 /short');
        // Silence in a stream says nothing: it is ended by the idle limit, which takes a minute.
        if (load === 'mid-download' && !(long && round === 0)) under?.leave();
        const end = await under?.ended;
        seen.push({ load, agentMs, endMs: Date.now() - from, end });
        expect(agentMs).toBeLessThan(boundMs);
        if (load === 'mid-upload') expect(end).toBe(502);
        await expectWhole(world, agent);
      }
    },
  );

  describe('of an agent that cannot come back', () => {
    test.concurrent('it counts as connected until a pull is answered 410', async () => {
      const agent = agentCalled('pulled');
      await strand(agent);
      expect(await agent.shown()).toMatchObject({ presence: 'connected' });
      expect(await agent.pull('/short', 1)).toMatch(/^504 .*"deadline/);
      expect(await agent.shown()).toMatchObject({ presence: 'connected' });
      await cutWithoutWord(agent);
      expect(await agent.shown()).toMatchObject({ presence: 'connected' });
      expect(await agent.pull()).toMatch(/^503 .*"device-offline"/);
      expect(await agent.shown()).toMatchObject({ presence: 'offline', why: 'gone' });
      await comesBack(agent);
      await expectWhole(world, agent);
    });

    test.concurrent('a probe finds it stale, and offline when it is answered 410', async () => {
      const agent = agentCalled('probed');
      await strand(agent);
      expect(await agent.shown('?probe=1')).toMatchObject({
        presence: 'stale',
        links: [{ probe: { answered: false, why: 'no-answer' } }],
      });
      expect(await agent.shown()).toMatchObject({ presence: 'connected' });
      await cutWithoutWord(agent);
      expect(await agent.shown('?probe=1')).toMatchObject({
        presence: 'offline',
        why: 'gone',
        links: [{ probe: { answered: false, why: 'gone' } }],
      });
      await comesBack(agent);
      await expectWhole(world, agent);
    });
  });

  /** The gateway's own cut, of which its `$disconnect` gets lost. */
  async function cutWithoutWord(agent: PathAgent): Promise<void> {
    const { gateway } = world.aws;
    const connection = connectionOf(world, agent);
    gateway.lambda('disconnect').failNext({ kind: 'throw' });
    const told = disconnected(world, connection);
    connection.close(1001, 'Going away');
    await told;
  }

  test('no process was restarted, and nothing is in flight', async () => {
    for (const load of loads) {
      const ofLoad = seen.filter((one) => one.load === load);
      const most = (side: 'agentMs' | 'endMs'): number =>
        Math.max(...ofLoad.map((one) => one[side]));
      process.stdout.write(
        `${load}: agents noticed within ${most('agentMs')} ms, callers were answered within ${most('endMs')} ms: ${ofLoad.map(({ end }) => end)}\n`,
      );
    }
    for (const { program } of agents.values()) {
      expect(program.running).toBe(true);
      expect(await program.snapshot()).toMatchObject({ pulls: { inFlight: 0 } });
    }
  });
});

interface Stranded {
  readonly agent: PathAgent;
  readonly connection: GatewayConnection;
  readonly told: Promise<void>;
}

describe('what the gateway itself ends', () => {
  const idleMs = 4_000;
  const lifeMs = 9_000;
  let world: CloudWorld;
  const agents: PathAgent[] = [];

  beforeAll(async () => {
    world = await CloudWorld.start({
      ...{ sources, agents: 0, heartbeat },
      switches: { idleMs, lifeMs },
    });
  });
  afterAll(async () => {
    for (const agent of agents) await agent.stop();
    await world?.stop();
  });

  /** A link whose agent is stranded, and when its end is told. */
  async function strandedLink(device: string): Promise<Stranded> {
    const agent = await PathAgent.start(world, device, sources);
    agents.push(agent);
    const connection = connectionOf(world, agent);
    const told = disconnected(world, connection);
    await strand(agent);
    return { agent, connection, told };
  }

  test.concurrent('a link in a hole is connected until it was idle for too long, then offline, with the reason', async () => {
    const { agent, connection, told } = await strandedLink('quiet');
    expect(await agent.shown()).toMatchObject({ presence: 'connected' });
    await told;
    expect(Date.now() - connection.lastActiveAt).toBeGreaterThanOrEqual(idleMs - 1);
    expect(Date.now() - connection.connectedAt).toBeLessThan(lifeMs);
    expect(await agent.shown()).toMatchObject({ presence: 'offline', why: 'closed-1001' });
  });

  test.concurrent('one that is pulled from all the time is so until its life is over', async () => {
    const { agent, connection, told } = await strandedLink('asked');
    let isOver = false;
    const over = told.then(() => {
      isOver = true;
    });
    const answers: string[] = [];
    while (!isOver) answers.push(await agent.pull('/short', 1));
    await over;
    expect(Date.now() - connection.connectedAt).toBeGreaterThanOrEqual(lifeMs - 1);
    // The last of them may have met the end.
    expect(answers.slice(0, -1).filter((answer) => !answer.startsWith('504 '))).toEqual([]);
    expect(answers.length).toBeGreaterThan(2);
    expect(await agent.shown()).toMatchObject({ presence: 'offline', why: 'closed-1001' });
  });
});
