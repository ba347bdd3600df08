import { afterAll, beforeAll, expect, test } from 'vitest';
import { type MemorySample, memorySlope } from './src/memory-slope.ts';
import type { Program } from './src/program.ts';
import { noNamespaces } from './src/shaped-path.ts';
import type { SoakSum } from './src/soak-caller.ts';
import type { SoakFailure } from './src/soak-load.ts';
import { SoakWorld } from './src/soak-world.ts';

const long = process.env['PULLWIRE_LONG'] === '1';
const minutes = Number(process.env['PULLWIRE_SOAK_MINUTES'] ?? (long ? 20 : 0.4));
const shaped = noNamespaces() === undefined;
const plan = long
  ? { agents: 200, perSecond: 100, cutEveryMs: 60_000, shaped }
  : { agents: 20, perSecond: 20, cutEveryMs: 20_000, shaped };
/** In seconds of few agents, two paths that are cut without a word already cost more than 3 %. */
const leastShare = long ? 0.97 : 0.9;
/** A failure may follow a cut of its own device's path by this much. */
const blameMs = 10_000;
/** In this part of the time memory may grow to its working size. */
const warmUp = 0.25;
const mebibyte = 1_048_576;

interface Cut {
  readonly kind: string;
  readonly device: string;
  readonly at: number;
}

let world: SoakWorld;

beforeAll(async () => {
  world = await SoakWorld.start(plan);
}, 300_000);

afterAll(async () => {
  await world?.stop();
});

/** The programs of the soak write these lines; their types stand beside what writes them. */
function said<T>(program: Program, msg: string): T[] {
  return program.lines.filter((line) => line.msg === msg) as unknown as T[];
}

/** Whether a cut of that very device explains it. */
function isExplained({ device, startedAt, endedAt }: SoakFailure, made: readonly Cut[]): boolean {
  return made.some(
    (cut) => cut.device === device && cut.at <= endedAt && startedAt <= cut.at + blameMs,
  );
}

function tally(names: readonly string[]): string {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return JSON.stringify(counts);
}

interface Watched {
  /** Of the process. */
  readonly resident: MemorySample[];
  /** The least of each minute of what objects and buffers take: what is left after a collection. */
  readonly live: MemorySample[];
  /** How late the event loop was at most, in milliseconds. */
  readonly lateMs: number;
}

interface Snapshot {
  readonly memory: { readonly resident: number; readonly heap: number; readonly external: number };
  readonly eventLoop: { readonly maxMs: number };
}

/** Looks at the relay each second until the time is over. */
async function watchRelay(): Promise<Watched> {
  const resident: MemorySample[] = [];
  const live = new Map<number, number>();
  const startedAt = Date.now();
  let lateMs = 0;
  for (let since = 0; since < minutes; since = (Date.now() - startedAt) / 60_000) {
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    // A log line has fields of any type; these are what the relay's `RelaySnapshot` says of them.
    const { memory, eventLoop } = (await world.relay.snapshot()) as unknown as Snapshot;
    const minute = Math.floor(since);
    resident.push({ minutes: since, bytes: memory.resident });
    live.set(minute, Math.min(live.get(minute) ?? memory.heap, memory.heap));
    lateMs = Math.max(lateMs, eventLoop.maxMs);
  }
  const least = [...live].map(([at, bytes]) => ({ minutes: at, bytes }));
  return { resident, live: least, lateMs };
}

/** MiB a minute after the first quarter of the time. */
function slopeOf(samples: readonly MemorySample[]): number {
  return memorySlope(samples.filter((sample) => sample.minutes > minutes * warmUp)) / mebibyte;
}

/** The relay's counts when the agents have gone. */
async function balanced(): Promise<unknown> {
  let snapshot = await world.relay.snapshot();
  while (snapshot['links'] !== 0 || snapshot['registryWritesWaiting'] !== 0) {
    snapshot = await world.relay.snapshot();
  }
  return snapshot;
}

/** A fault with a code; or a transfer that broke off after its head, which HTTP has no other word for. */
function isNamed(said: string): boolean {
  return /^(502 link-lost|503 device-offline|504 deadline-exceeded)$|^broken: /.test(said);
}

const path = shaped ? '5 % loss and 80 ms' : '80 ms (no namespaces here: nothing is lost)';

test(
  `${plan.agents} agents, ${plan.perSecond} pulls a second for ${minutes} minutes through ${path}, paths that are cut: no wrong answer, and each failure has its cut`,
  async () => {
    world.load();
    const { resident, live, lateMs } = await watchRelay();
    world.caller.signal('SIGTERM');
    const sum = (await world.caller.line('sum', 0)) as unknown as SoakSum;
    world.fleet.signal('SIGTERM');
    const fleet = await world.fleet.line('fleet', 0);
    const after = await balanced();

    const made = said<Cut>(world.fleet, 'cut');
    const failures = said<SoakFailure>(world.caller, 'failure');
    const unexplained = failures.filter((failure) => !isExplained(failure, made));
    const share = sum.succeeded / sum.begun;
    const slope = slopeOf(live);
    const size = (resident.at(-1)?.bytes ?? 0) / mebibyte;
    process.stdout.write(
      `${sum.begun} pulls, ${(share * 100).toFixed(2)} % succeeded; ${made.length} cuts ${tally(made.map(({ kind }) => kind))};` +
        ` failures ${tally(failures.map(({ said }) => said))}, unexplained ${JSON.stringify(unexplained)};` +
        ` p50 ${sum.p50} ms, p99 ${sum.p99} ms; the relay's objects grew by ${slope.toFixed(3)} MiB a minute` +
        ` to ${Math.round((live.at(-1)?.bytes ?? 0) / mebibyte)} MiB, the process by ${slopeOf(resident).toFixed(3)}` +
        ` to ${Math.round(size)} MiB; event loop late by ${lateMs} ms at most\n`,
    );
    expect(said(world.caller, 'wrong')).toEqual([]);
    expect(unexplained).toEqual([]);
    expect(share).toBeGreaterThanOrEqual(leastShare);
    expect(failures.filter(({ said }) => !isNamed(said))).toEqual([]);
    expect(fleet).toMatchObject({ inFlight: 0 });
    expect(after).toMatchObject({ links: 0, pullsInFlight: 0, registryWritesWaiting: 0 });
    expect(made.length).toBeGreaterThan((plan.agents * minutes * 60_000) / plan.cutEveryMs / 4);
    // Over 20 minutes a leak shows; over seconds it is the heap that grows to its size.
    if (minutes < 10) return;
    // Events are kept for replay until there are 10,000, which takes 25 minutes here.
    expect(slope).toBeLessThan(0.5);
    // The system's allocator keeps what the largest heap of buffers so far took.
    expect(size).toBeLessThan(320);
  },
  (minutes + 4) * 60_000,
);
