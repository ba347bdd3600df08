import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { enrolFleet } from './src/enrol-fleet.ts';
import { type MemorySample, memorySlope } from './src/memory-slope.ts';
import { Program } from './src/program.ts';
import type { SoakOrders } from './src/soak-agents.ts';
import { type SoakFailure, SoakLoad } from './src/soak-load.ts';
import { World } from './src/world.ts';

const long = process.env['PULLWIRE_LONG'] === '1';
const agents = long ? 200 : 20;
const perSecond = long ? 100 : 40;
const minutes = Number(process.env['PULLWIRE_SOAK_MINUTES'] ?? (long ? 20 : 0.4));
const cutEveryMs = long ? 60_000 : 15_000;
/** A failure may follow a cut of its own device's path by this much. */
const blameMs = 10_000;
/** As much of it as it takes to grow to its working size does not count as growth. */
const warmUp = 0.25;

interface Cut {
  readonly kind: string;
  readonly device: string;
  readonly at: number;
}

let world: World;
let fleet: Program;
let devices: readonly string[];

beforeAll(async () => {
  world = await World.start({
    sources: {},
    relayConfig: { heartbeat: { intervalMs: 2_000, timeoutMs: 2_500 } },
  });
  await world.agent.stop();
  await world.relay.stop();
  const enrolled = await enrolFleet('soak', agents, world.dataFolder);
  devices = enrolled.map(({ device }) => device);
  for (const { device, privateKey } of enrolled) {
    writeFileSync(join(world.folder, `${device}.key`), privateKey, { mode: 0o600 });
  }
  await world.startRelay();
  const orders: SoakOrders = {
    folder: world.folder,
    relayHost: '127.0.0.1',
    relayPort: world.port,
    devices,
    delayMs: 40,
    cutEveryMs,
  };
  const file = join(world.folder, 'soak-orders.json');
  writeFileSync(file, JSON.stringify(orders));
  fleet = new Program('soakAgents', [file]);
  await fleet.line('started', 0);
}, 120_000);

afterAll(async () => {
  await fleet?.stop();
  await world?.stop();
});

function cuts(): Cut[] {
  return fleet.lines.filter((line) => line.msg === 'cut') as unknown as Cut[];
}

/** Whether a cut of that very device explains it. */
function isExplained({ device, startedAt, endedAt }: SoakFailure, made: readonly Cut[]): boolean {
  return made.some(
    (cut) => cut.device === device && cut.at <= endedAt && startedAt <= cut.at + blameMs,
  );
}

function tally(failures: readonly SoakFailure[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { said } of failures) counts[said] = (counts[said] ?? 0) + 1;
  return counts;
}

const at = (sorted: readonly number[], part: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;

test(
  `${agents} agents, ${perSecond} pulls a second for ${minutes} minutes, paths that are cut: no wrong answer, and each failure has its cut`,
  async () => {
    const samples: MemorySample[] = [];
    const { url, callerKey } = world;
    const load = new SoakLoad({ url, callerKey, devices, perSecond });
    const startedAt = Date.now();
    const since = (): number => (Date.now() - startedAt) / 60_000;
    await new Promise<void>((resolve) => {
      const look = setInterval(() => {
        samples.push({ minutes: since(), bytes: world.relay.residentBytes });
        if (since() < minutes) return;
        clearInterval(look);
        resolve();
      }, 1_000);
    });
    await load.end();
    const relay = await world.relay.snapshot();
    fleet.signal('SIGTERM');
    const ended = await fleet.line('fleet', 0);
    await fleet.ended;
    await world.relay.line((line) => line.msg === 'snapshot', 0);
    const after = await balanced();

    const made = cuts();
    const unexplained = load.failures.filter((failure) => !isExplained(failure, made));
    const share = load.times.length / load.begun;
    const slope = memorySlope(samples.filter((sample) => sample.minutes > minutes * warmUp));
    const times = load.times.toSorted((a, b) => a - b);
    process.stdout.write(
      `${load.begun} pulls, ${(share * 100).toFixed(2)} % succeeded, ${made.length} cuts ${JSON.stringify(kindsOf(made))};` +
        ` failures ${JSON.stringify(tally(load.failures))}, unexplained ${JSON.stringify(tally(unexplained))};` +
        ` p50 ${at(times, 0.5)} ms, p99 ${at(times, 0.99)} ms; relay's memory ${(slope / 1_048_576).toFixed(2)} MiB a minute,` +
        ` ${Math.round((samples.at(-1)?.bytes ?? 0) / 1_048_576)} MiB at the end; ${JSON.stringify(relay['eventLoop'])}\n`,
    );
    expect(load.wrong).toEqual([]);
    expect(unexplained).toEqual([]);
    expect(share).toBeGreaterThanOrEqual(0.97);
    expect(load.failures.filter(({ said }) => !isNamed(said))).toEqual([]);
    expect(ended).toMatchObject({ inFlight: 0 });
    expect(after).toMatchObject({ links: 0, pullsInFlight: 0, registryWritesWaiting: 0 });
    expect(made.length).toBeGreaterThan(agents * minutes * 0.3);
  },
  (minutes + 3) * 60_000,
);

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
  return /^(502|503|504) (link-lost|device-offline|deadline-exceeded|agent-draining)$|^broken: /.test(
    said,
  );
}

function kindsOf(made: readonly Cut[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { kind } of made) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}
