import { setTimeout as delay } from 'node:timers/promises';
import { cases } from './case.ts';
import { type IdleLinkCost, idleLinkCost } from './idle-link/idle-link-cost.ts';
import { download } from './load/curl.ts';
import { runWrk } from './load/wrk.ts';
import { type Measurement, measure } from './measurement.ts';
import type { Options } from './options.ts';
import { UsageWatch } from './process/usage-watch.ts';
import { say } from './progress.ts';
import type { Findings, IdleMemory } from './report/findings.ts';
import { describeMachine } from './report/machine.ts';
import { formatNumber } from './report/number.ts';
import { type Certificate, makeCertificate } from './system/certificate.ts';
import { startSystems } from './system/start-systems.ts';
import type { System } from './system/system.ts';
import type { Workbench } from './workbench.ts';

/** Starts everything, measures it in turn, and measures idle links at the end. */
export async function runBench(workbench: Workbench, options: Options): Promise<Findings> {
  const startedAt = new Date().toISOString();
  const machine = describeMachine();
  const certificate = await makeCertificate(workbench);
  const loaded =
    options.cases.length === 0 ? nothing : await runLoads(workbench, options, certificate);
  const idleLinks = options.links === 0 ? [] : await runIdleLinks(workbench, options, certificate);
  const { rounds, seconds, links, nginxWorkers, proxyLogs } = options;
  const settings = { rounds, seconds, links, nginxWorkers, proxyLogs };
  return { startedAt, machine, settings, ...loaded, idleLinks };
}

type Loaded = Pick<Findings, 'systems' | 'skipped' | 'measurements' | 'idleMemory'>;
const nothing: Loaded = { systems: [], skipped: [], measurements: [], idleMemory: [] };

async function runLoads(
  workbench: Workbench,
  options: Options,
  certificate: Certificate,
): Promise<Loaded> {
  const { systems, skipped } = await startSystems(workbench, options, certificate);
  const idleMemory = await readIdleMemory(systems, workbench);
  await warmUp(systems, workbench);
  const measurements = await runRounds(systems, options, workbench);
  const columns = systems.map(({ name, title }) => ({ name, title }));
  return { systems: columns, skipped, measurements, idleMemory };
}

async function runIdleLinks(
  workbench: Workbench,
  { links }: Options,
  certificate: Certificate,
): Promise<IdleLinkCost[]> {
  say(`${links} idle links in the clear …`);
  const clear = await idleLinkCost(workbench, links, undefined);
  say(`${links} idle links over TLS …`);
  return [clear, await idleLinkCost(workbench, links, certificate)];
}

async function readIdleMemory(
  systems: readonly System[],
  { signal }: Workbench,
): Promise<IdleMemory[]> {
  await delay(1_000, undefined, { signal });
  return systems.map(({ name, daemons }) => {
    const watch = new UsageWatch(daemons);
    watch.start();
    return { system: name, residentBytes: watch.stop().residentBytes };
  });
}

/** A daemon runs for months; V8 takes some 20,000 requests to compile what is hot. */
const warmUpSeconds = 6;

/** Nothing of this counts: code gets compiled, connections and files get cached. */
async function warmUp(systems: readonly System[], { signal }: Workbench): Promise<void> {
  say('warming up …');
  for (const system of systems) {
    await download(system, '100mb', signal);
    await runWrk(system, { payload: '200b', connections: 32, seconds: warmUpSeconds }, signal);
  }
}

/** Case by case, system by system within it; each round begins with another system. */
async function runRounds(
  systems: readonly System[],
  options: Options,
  { signal }: Workbench,
): Promise<Measurement[]> {
  const measurements: Measurement[] = [];
  for (let round = 1; round <= options.rounds; round += 1) {
    const first = (round - 1) % Math.max(1, systems.length);
    const turn = [...systems.slice(first), ...systems.slice(0, first)];
    for (const name of options.cases) {
      const rates: string[] = [];
      for (const system of turn) {
        const measurement = await measure(system, name, {
          round,
          seconds: options.seconds,
          signal,
        });
        measurements.push(measurement);
        rates.push(`${system.title} ${rateText(measurement)}`);
      }
      say(`round ${round}/${options.rounds}  ${cases[name].title}:  ${rates.join(',  ')}`);
    }
  }
  return measurements;
}

function rateText({ case: name, requests, bytes, seconds }: Measurement): string {
  const { unit } = cases[name];
  const rate = unit === 'MB/s' ? bytes / seconds / 1e6 : requests / seconds;
  return `${formatNumber(rate)} ${unit}`;
}
