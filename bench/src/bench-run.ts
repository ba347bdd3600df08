import { setTimeout as delay } from 'node:timers/promises';
import { cases } from './case.ts';
import { type IdleLinkCost, idleLinkCost } from './idle-link/idle-link-cost.ts';
import { download } from './load/curl.ts';
import { runWrk } from './load/wrk.ts';
import { type Measurement, measure } from './measurement.ts';
import type { Options } from './options.ts';
import { UsageWatch } from './process/usage-watch.ts';
import { say } from './progress.ts';
import { describeMachine } from './report/machine.ts';
import { formatNumber } from './report/number.ts';
import type { Findings, IdleMemory } from './report/report.ts';
import { makeCertificate } from './system/certificate.ts';
import { startSystems } from './system/start-systems.ts';
import type { System } from './system/system.ts';
import type { Workbench } from './workbench.ts';

/** Starts everything, measures it in turn, and measures idle links at the end. */
export async function runBench(workbench: Workbench, options: Options): Promise<Findings> {
  const startedAt = new Date().toISOString();
  const machine = describeMachine();
  const certificate = await makeCertificate(workbench);
  const { systems, skipped } = await startSystems(workbench, options, certificate);
  const idleMemory = await readIdleMemory(systems, workbench);
  await warmUp(systems, workbench);
  const measurements = await runRounds(systems, options, workbench);
  const idleLinks: IdleLinkCost[] = [];
  if (options.links > 0) {
    for (const one of [undefined, certificate]) {
      say(`${options.links} idle links${one === undefined ? '' : ' over TLS'} …`);
      idleLinks.push(await idleLinkCost(workbench, options.links, one));
    }
  }
  const { rounds, seconds, links, nginxWorkers, proxyLogs } = options;
  return {
    startedAt,
    machine,
    settings: { rounds, seconds, links, nginxWorkers, proxyLogs },
    systems: systems.map(({ name, title }) => ({ name, title })),
    skipped,
    measurements,
    idleMemory,
    idleLinks,
  };
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

/** Nothing of this counts: code gets compiled, connections and files get cached. */
async function warmUp(systems: readonly System[], { signal }: Workbench): Promise<void> {
  say('warming up …');
  for (const system of systems) {
    await download(system, '100mb', signal);
    await runWrk(system, { payload: '200b', connections: 32, seconds: 2 }, signal);
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
  if (cases[name].kind === 'transfer') return `${formatNumber(bytes / seconds / 1e6)} MB/s`;
  return `${formatNumber(requests / seconds)}/s`;
}
