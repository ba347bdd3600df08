/**
 * `npm run bench:pull`: where the time of a pull on AWS goes, cold and warm, and what a million cost. Our functions on the
 * strict gateway with 10 ms on each way over the network, an agent and an upstream in this process; no AWS, and no TLS. Of
 * warm pulls the medians of 21. Before the cold pull the http function is composed anew; how its process starts and reads
 * the secret is measured apart from it.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AwsWorld } from '../../../cloud/test/aws/aws-world.ts';
import { measureFunctions } from '../../../scripts/lambda-start-functions.ts';
import { Fleet } from '../../../test/src/fleet.ts';
import { median } from '../report/median.ts';
import { costLines, costOfMillion, type PullUse } from './pull-cost.ts';
import { secretTime } from './secret-time.ts';
import { medianTimes, type StepTime, stepLines, stepTimes, warmSteps } from './step.ts';
import { coldSpans, type Span, timelineLines } from './timeline.ts';
import { type Mark, Trace } from './trace.ts';
import { watchWorld } from './watch-world.ts';

const delayMs = 10;
const warmUp = 20;
const pulls = 21;
const body = 'x'.repeat(1_024);

interface Pull {
  readonly startedAt: number;
  readonly marks: readonly Mark[];
}

class Breakdown {
  readonly #trace = new Trace(() => performance.now());
  readonly #world: AwsWorld;
  readonly #key: string;

  constructor(world: AwsWorld, key: string) {
    this.#world = world;
    this.#key = key;
  }

  get trace(): Trace {
    return this.#trace;
  }

  async pull(): Promise<Pull> {
    this.#trace.clear();
    const startedAt = performance.now();
    const response = await fetch(`${this.#world.url}/devices/plant-1/sources/web/1k`, {
      headers: { 'Pullwire-Key': this.#key },
    });
    const text = await response.text();
    this.#trace.mark('caller has all');
    if (response.status !== 200 || text !== body) throw new Error(`${response.status} ${text}`);
    await this.#world.gateway.settled();
    await httpIdle(this.#world);
    return { startedAt, marks: this.#trace.marks };
  }

  /** One pull with everything counted. */
  async counted(): Promise<{ pull: Pull; use: PullUse }> {
    const { gateway, table } = this.#world;
    const before = { counts: gateway.counts.snapshot(), reads: table.reads, writes: table.writes };
    const pull = await this.pull();
    const counts = gateway.counts.since(before.counts);
    return {
      pull,
      use: {
        units: counts.billedUnits,
        posts: counts.posts,
        calls: { http: 1, ...counts.invocations },
        busyMs: busyTimes(pull.marks, ['http', ...Object.keys(counts.invocations)]),
        reads: table.reads - before.reads,
        writes: table.writes - before.writes,
      },
    };
  }
}

/** The http function may end after its answer has been read. */
async function httpIdle({ http }: AwsWorld): Promise<void> {
  while (http.environments.some(({ idle }) => !idle)) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Milliseconds between beginnings and ends of each function. */
function busyTimes(marks: readonly Mark[], names: readonly string[]): Record<string, number> {
  const sum = (what: string) =>
    marks.filter((mark) => mark.what === what).reduce((total, { at }) => total + at, 0);
  return Object.fromEntries(
    names.map((name) => [name, sum(`${name} ends`) - sum(`${name} begins`)]),
  );
}

async function startUpstream(trace: () => Trace) {
  const server = createServer((_request, response) => {
    trace().mark('upstream is asked');
    response.on('finish', () => trace().mark('upstream answered'));
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

async function main(): Promise<void> {
  const world = await AwsWorld.start({ delayMs, httpEnvironments: 1 });
  const breakdown = new Breakdown(world, await world.addKey());
  const { server, url } = await startUpstream(() => breakdown.trace);
  const fleet = new Fleet();
  let unwatch = (): void => undefined;
  try {
    await fleet.grow(world, 1, { web: { kind: 'http', url, allow: [{ paths: ['/**'] }] } });
    unwatch = watchWorld(world, breakdown.trace);
    await report(world, breakdown);
  } finally {
    unwatch();
    await fleet.stop();
    await world.stop();
    server.closeAllConnections();
    server.close();
  }
}

async function reportCold(world: AwsWorld, breakdown: Breakdown): Promise<void> {
  const starts = await measureFunctions(5, ['http']);
  const initMs = median(starts.times.get('http') ?? []);
  const secretMs = await secretTime(delayMs);
  await breakdown.pull(); // code that never ran is not what a cold start of a function is about
  world.http.retire();
  await once(world.gateway.events, 'disconnected'); // of its reply channel
  const { pull, use } = await breakdown.counted();
  const { startedAt, marks } = pull;
  say(`a cold pull of 1 KB, ${delayMs} ms a hop: when it began, how long it took`);
  const before: Span[] = [
    { name: 'http: process start until its module is ready', begin: 'init', end: 'ready' },
    { name: 'http: secret (SSM)', begin: 'ready', end: 'secret is read' },
  ];
  const from = startedAt - initMs - secretMs;
  const early = [
    { at: from, what: 'init' },
    { at: from + initMs, what: 'ready' },
    { at: startedAt, what: 'secret is read' },
  ];
  const lines = timelineLines(from, [...early, ...marks], [...before, ...coldSpans]);
  for (const line of lines) say(line);
  say(`  of that ${coldHops * delayMs} ms were injected: ${coldHops} hops`);
  sayCost(use);
}

/** To SSM and http; to authorizer, connect, the keep-alive's route and back; two each for post, message and post. */
const coldHops = 12;

async function report(world: AwsWorld, breakdown: Breakdown): Promise<void> {
  await reportCold(world, breakdown);
  for (let round = 0; round < warmUp; round += 1) await breakdown.pull();
  const times: StepTime[][] = [];
  for (let round = 0; round < pulls; round += 1) {
    const { startedAt, marks } = await breakdown.pull();
    times.push(stepTimes(startedAt, marks, warmSteps, delayMs));
  }
  say(`\na warm pull of 1 KB, ${delayMs} ms a hop, medians of ${pulls}`);
  for (const line of stepLines(medianTimes(times))) say(line);
  sayCost((await breakdown.counted()).use);
}

const memoryMb = memoryOf('../../../terraform/relay.json');

function sayCost(use: PullUse): void {
  const calls = Object.entries(use.calls).map(([name, count]) => `${count} ${name}`);
  say(
    `  ${use.reads} reads, ${use.writes} writes, ${use.posts} posts, ${use.units} units; calls: ${calls.join(', ')}`,
  );
  for (const line of costLines(costOfMillion(use, memoryMb))) say(line);
}

function memoryOf(manifest: string): Record<string, number> {
  const { functions } = JSON.parse(readFileSync(new URL(manifest, import.meta.url), 'utf8')) as {
    functions: Record<string, { memoryMb: number }>;
  };
  return Object.fromEntries(
    Object.entries(functions).map(([name, { memoryMb: mb }]) => [name, mb]),
  );
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

await main();
