import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EndlessOrigin } from './src/endless-origin.ts';
import { PathAgent, type Transfer } from './src/path-agent.ts';
import type { LogLine, Program } from './src/program.ts';
import type { TcpPath } from './src/tcp-path.ts';
import { World } from './src/world.ts';

const long = process.env['PULLWIRE_LONG'] === '1';
const rounds = long ? 20 : 1;

/** The ping goes out within one, and its answer is due within the other. */
const heartbeat = { intervalMs: 1_000, timeoutMs: 1_000 };
const boundMs = heartbeat.intervalMs + heartbeat.timeoutMs + 1_000;
/** From the loss of the link before to the next handshake: the wait, and the dial itself. */
const redialMs = 1_000;

const encodings = ['json', 'bin'] as const;
const directions = ['agent→relay', 'relay→agent', 'both'] as const;
const loads = ['idle', 'mid-upload', 'mid-download'] as const;
type Direction = (typeof directions)[number];
type Load = (typeof loads)[number];

const links = encodings.flatMap((encoding) => loads.map((load) => ({ encoding, load })));
const handshakes = encodings.flatMap((encoding) =>
  directions.map((direction) => ({ encoding, direction })),
);

const origin = new EndlessOrigin();
const agents = new Map<string, PathAgent>();
const seen: { name: string; agentMs: number; relayMs: number }[] = [];
let world: World;

beforeAll(async () => {
  const url = await origin.start();
  const allow = [{ paths: ['/**'], methods: ['GET', 'PUT'] }];
  const sources = { web: { kind: 'http', url, allow, limits: { timeoutMs: 60_000 } } };
  world = await World.start({ sources, relayConfig: { heartbeat } });
  const names = [
    ...links.map(({ encoding, load }) => ({ encoding, name: `${encoding}-${load}` })),
    ...handshakes.map(({ encoding, direction }) => ({
      encoding,
      name: handshakeName(encoding, direction),
    })),
  ];
  for (const { encoding, name } of names) {
    agents.set(name, await PathAgent.start(world, name, sources, { encodings: [encoding] }));
  }
});
afterAll(async () => {
  for (const agent of agents.values()) await agent.stop();
  await world.stop();
  origin.stop();
});

function handshakeName(encoding: string, direction: Direction): string {
  return `${encoding}-dial-${directions.indexOf(direction)}`;
}

function agentCalled(name: string): PathAgent {
  const agent = agents.get(name);
  if (agent === undefined) throw new Error(`there is no agent ${name}`);
  return agent;
}

function pathsOf({ path }: PathAgent, direction: Direction): TcpPath[] {
  if (direction === 'both') return [path.up, path.down];
  return [direction === 'agent→relay' ? path.up : path.down];
}

function loaded(agent: PathAgent, load: Load): Promise<Transfer> | undefined {
  if (load === 'mid-download') return agent.download();
  if (load === 'idle') return undefined;
  const path = `/${agent.device}`;
  return agent.upload(path, () => origin.taken(path));
}

const timeOf = (line: LogLine): number => new Date(line['time'] as string | number).getTime();
const isNoLink = (line: LogLine): boolean => line.msg?.startsWith('no link') === true;

/** The relay's next word that a link of the agent's has ended. */
function linkEnd({ device }: PathAgent, said: string): Promise<LogLine> {
  return world.relay.line((line) => line.msg === said && line['device'] === device);
}

/** Resolves when the agent has nothing in flight. */
async function quiet(program: Program): Promise<LogLine> {
  for (;;) {
    const snapshot = await program.snapshot();
    const { inFlight } = snapshot['pulls'] as { inFlight: number };
    if (inFlight === 0) return snapshot;
  }
}

/** It serves pulls again, and everybody agrees on that. */
async function expectWhole(agent: PathAgent): Promise<void> {
  expect(await agent.pull()).toBe('200 /short');
  expect(await agent.shown()).toMatchObject({
    presence: 'connected',
    links: [{ state: 'connected' }],
  });
  const { link } = await quiet(agent.program);
  expect(link).toMatchObject({ state: 'open', waitingBytes: 0 });
}

async function dialIntoHole(encoding: string, direction: Direction): Promise<void> {
  const agent = agentCalled(handshakeName(encoding, direction));
  const lost = agent.program.line(isNoLink);
  // In the other directions nothing that asks for a link comes to the relay.
  const asks = direction === 'relay→agent';
  const forgotten = asks ? linkEnd(agent, 'link closed before hello') : lost;
  for (const path of pathsOf(agent, direction)) path.blackHole();
  agent.path.reset();
  const from = timeOf(await lost);
  const gaveUp = agent.program.line(isNoLink);
  const relayMs = timeOf(await forgotten) - from;
  const agentMs = timeOf(await gaveUp) - from;
  seen.push({ name: `${encoding} handshake ${direction}`, agentMs, relayMs });
  expect(agentMs).toBeLessThan(boundMs);
  expect(relayMs).toBeLessThan(redialMs + boundMs);
  const back = agent.program.line('link open');
  agent.path.restore();
  await back;
  await expectWhole(agent);
}

describe('a black hole in the path of a link', () => {
  test.concurrent.each(encodings)(
    `%s, during the handshake: both sides give up within 2 heartbeats; rounds: ${rounds}`,
    { timeout: 60_000 * rounds },
    async (encoding) => {
      for (let round = 0; round < rounds; round += 1) {
        await Promise.all(directions.map((direction) => dialIntoHole(encoding, direction)));
      }
    },
  );

  test.concurrent.each(links)(
    `$encoding, $load: both sides notice within 2 heartbeats, and a new link serves pulls; rounds: ${rounds}`,
    { timeout: 60_000 * rounds },
    async ({ encoding, load }) => {
      const agent = agentCalled(`${encoding}-${load}`);
      agent.path.up.throttle(4_000_000);
      agent.path.down.throttle(4_000_000);
      for (let at = 0; at < rounds * directions.length; at += 1) {
        const direction = directions[at % directions.length] as Direction;
        const transfer = await loaded(agent, load);
        const atAgent = agent.program.line(isNoLink);
        const atRelay = linkEnd(agent, 'link closed');
        const back = agent.program.line('link open');
        const from = Date.now();
        for (const path of pathsOf(agent, direction)) path.forget();
        const agentMs = timeOf(await atAgent) - from;
        const relayMs = timeOf(await atRelay) - from;
        seen.push({ name: `${encoding} ${load} ${direction}`, agentMs, relayMs });
        expect({ direction, agentMs: agentMs < boundMs, relayMs: relayMs < boundMs }).toEqual({
          direction,
          agentMs: true,
          relayMs: true,
        });
        if (transfer !== undefined) expect(await transfer.ended).toBeOneOf(['broken', 502]);
        await back;
        await expectWhole(agent);
      }
    },
  );
});

test('no process was restarted, no link was lost that nothing befell, and all gauges are right', async () => {
  const mostOf = (side: 'agentMs' | 'relayMs', of: string): number =>
    Math.max(...seen.filter(({ name }) => name.includes(of)).map((one) => one[side]));
  for (const of of [...loads, 'handshake']) {
    process.stdout.write(
      `${of}: agents noticed within ${mostOf('agentMs', of)} ms, the relay within ${mostOf('relayMs', of)} ms\n`,
    );
  }
  expect(world.agent.lines.filter(isNoLink)).toEqual([]);
  const all = 1 + links.length + handshakes.length;
  expect(await world.relay.snapshot()).toMatchObject({ links: all, pullsInFlight: 0 });
});
