/**
 * A fleet of agents of the shipped code in one process, each behind a TCP relay of its own whose path is cut at random.
 * A program, so that it can run in a network namespace of its own: orders come as JSON in a file, what happens goes to
 * stdout as lines of JSON, SIGTERM ends it.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Agent } from '../../agent/src/agent.ts';
import { agentInProcess } from './agent-in-process.ts';
import { blobAt } from './soak-blob.ts';
import { TcpRelay } from './tcp-relay.ts';

export interface SoakOrders {
  readonly folder: string;
  readonly relayHost: string;
  readonly relayPort: number;
  /** Each with `{device}.key` in the folder. */
  readonly devices: readonly string[];
  /** One way, where the network has none of its own. */
  readonly delayMs: number;
  /** Between two cuts of one path, on average. */
  readonly cutEveryMs: number;
}

export type CutKind = 'cut' | 'reset' | 'forget';

/** How a path is cut, and how often of ten times: in an orderly way, with a reset, or without a word. */
const kinds: readonly CutKind[] = [
  'cut',
  'cut',
  'cut',
  'cut',
  'reset',
  'reset',
  'reset',
  'reset',
  'reset',
  'forget',
];

const [file = ''] = process.argv.slice(2);
const orders = JSON.parse(readFileSync(file, 'utf8')) as SoakOrders;
const agents: Agent[] = [];
const paths: TcpRelay[] = [];
const timers = new Set<NodeJS.Timeout>();

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

const origin = createServer((request, response) => {
  const body = blobAt(request.url ?? '');
  if (body === undefined) response.writeHead(404);
  response.end(body);
});

async function startAgent(device: string, url: string): Promise<void> {
  const { folder, relayHost, relayPort, delayMs } = orders;
  const path = await TcpRelay.start(relayPort, relayHost);
  path.up.delay(delayMs);
  path.down.delay(delayMs);
  paths.push(path);
  const agent = agentInProcess(folder, {
    relay: `ws://127.0.0.1:${path.port}/link`,
    audience: `${relayHost}:${relayPort}`,
    device,
    keyFile: `${folder}/${device}.key`,
    redial: { baseMs: 300, capMs: 2_000 },
    log: { level: 'silent' },
    sources: { web: { kind: 'http', url, allow: [{ paths: ['/**'] }] } },
  });
  agents.push(agent);
  await agent.start();
}

/** Between half the time and one and a half of it. */
function cutLater(device: string, path: TcpRelay): void {
  const timer = setTimeout(
    () => {
      timers.delete(timer);
      const kind = kinds[Math.floor(Math.random() * kinds.length)] ?? 'cut';
      if (path.open > 0) say({ msg: 'cut', kind, device, at: Date.now() });
      path[kind]();
      cutLater(device, path);
    },
    orders.cutEveryMs * (0.5 + Math.random()),
  );
  timers.add(timer);
}

async function stop(): Promise<void> {
  for (const timer of timers) clearTimeout(timer);
  const snapshots = agents.map((agent) => agent.snapshot());
  const sum = (of: (snapshot: (typeof snapshots)[number]) => number): number =>
    snapshots.reduce((total, snapshot) => total + of(snapshot), 0);
  say({
    msg: 'fleet',
    inFlight: sum(({ pulls }) => pulls.inFlight),
    pulls: sum(({ pulls }) => pulls.pulls),
    open: sum(({ link }) => (link?.state === 'open' ? 1 : 0)),
    dials: sum(({ link }) => link?.counters.dials ?? 0),
  });
  await Promise.all(agents.map((agent) => agent.stop()));
  await Promise.all(paths.map((path) => path.stop()));
  origin.close();
  origin.closeAllConnections();
}

process.once('SIGTERM', () => void stop());
await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
const url = `http://127.0.0.1:${(origin.address() as AddressInfo).port}`;
for (const device of orders.devices) await startAgent(device, url);
while (!agents.every((agent) => agent.snapshot().link?.state === 'open')) {
  await new Promise((resolve) => setTimeout(resolve, 50));
}
for (const [at, device] of orders.devices.entries()) cutLater(device, paths[at] as TcpRelay);
say({ msg: 'started', agents: agents.length });
