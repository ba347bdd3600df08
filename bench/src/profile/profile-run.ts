import { copyFile, mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cases, type LoadCaseName } from '../case.ts';
import { runWrk, type WrkLoad } from '../load/wrk.ts';
import { cpuSecondsOf } from '../process/process-tree.ts';
import { say } from '../progress.ts';
import { startOrigin } from '../system/nginx.ts';
import { root } from '../system/program.ts';
import { startPullwire } from '../system/pullwire.ts';
import type { System } from '../system/system.ts';
import type { Workbench } from '../workbench.ts';
import { type CpuProfile, selfTimes, type TimeWindow } from './cpu-profile.ts';
import { renderSummary, summarise } from './profile-summary.ts';
import { SourcePositions } from './source-position.ts';

/** Threads that were busy for less are not worth a table. */
const leastBusyPart = 0.01;

export interface ProfileOptions {
  readonly name: LoadCaseName;
  readonly seconds: number;
  /** The folder for the profiles. */
  readonly results: string;
}

interface NamedProfile {
  /** Of the process. */
  readonly daemon: string;
  /** 0 is the main one. */
  readonly thread: string;
  readonly file: string;
  readonly profile: CpuProfile;
}

/** The load, by the clock of the profiles, and what each process took for it. */
interface Loaded {
  readonly window: TimeWindow;
  readonly requests: number;
  readonly cpuSeconds: ReadonlyMap<string, number>;
}

/**
 * Loads relay and agent under V8's profiler, and says as Markdown where each of their threads spent the time of the
 * load. The profiles are kept in `results`, for Chrome's DevTools.
 */
export async function runProfile(
  workbench: Workbench,
  { name, seconds, results }: ProfileOptions,
): Promise<string> {
  const origin = await startOrigin(workbench);
  const folder = join(workbench.folder, 'profiles');
  await mkdir(folder);
  // Written when the process ends, one file a thread.
  const nodeArgs = ['--cpu-prof', `--cpu-prof-dir=${folder}`];
  const system = await startPullwire(workbench, origin.port, { certificate: undefined, nodeArgs });
  const { payload, connections } = cases[name];
  const loaded = await load(system, { payload, connections, seconds }, workbench.signal);
  const names = new Map(system.daemons.map(({ name, pid }) => [pid, name]));
  for (const daemon of [...system.daemons].reverse()) await daemon.stop();
  const profiles = await readProfiles(folder, names, loaded.window);
  await keep(profiles, results);
  return render(cases[name].title, profiles, loaded);
}

async function load(system: System, wrk: WrkLoad, signal: AbortSignal): Promise<Loaded> {
  const { daemons } = system;
  say('warming up …');
  await runWrk(system, { ...wrk, seconds: 3 }, signal);
  say(`loading for ${wrk.seconds} s …`);
  const before = daemons.map(({ pid }) => cpuSecondsOf([pid]));
  const from = monotonicMicros();
  const { requests, errors } = await runWrk(system, wrk, signal);
  const to = monotonicMicros();
  if (errors > 0)
    throw new Error(`${errors} requests failed: this is no profile of the usual path`);
  const cpuSeconds = daemons.map(
    ({ name, pid }, i) => [name, cpuSecondsOf([pid]) - (before[i] ?? 0)] as const,
  );
  return { window: { from, to }, requests, cpuSeconds: new Map(cpuSeconds) };
}

function monotonicMicros(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}

/**
 * Files are named `CPU.<date>.<time>.<pid>.<thread>.<n>.cpuprofile`. A program that began again in the same process
 * (execve(2)) left one of its beginnings, too: it ended before the load.
 */
async function readProfiles(
  folder: string,
  names: ReadonlyMap<number, string>,
  { from }: TimeWindow,
): Promise<NamedProfile[]> {
  const profiles: NamedProfile[] = [];
  for (const name of (await readdir(folder)).sort()) {
    const [, , , pid, thread = '0'] = name.split('.');
    const daemon = names.get(Number(pid));
    if (daemon === undefined) continue;
    const file = join(folder, name);
    const profile = JSON.parse(await readFile(file, 'utf8')) as CpuProfile;
    if (profile.endTime > from) profiles.push({ daemon, thread, file, profile });
  }
  for (const name of names.values()) {
    if (!profiles.some(({ daemon }) => daemon === name))
      throw new Error(`${name} wrote no profile`);
  }
  return profiles;
}

async function keep(profiles: readonly NamedProfile[], results: string): Promise<void> {
  await mkdir(results, { recursive: true });
  for (const { daemon, thread, file } of profiles) {
    await copyFile(file, join(results, `${daemon}-${thread}.cpuprofile`));
  }
}

function render(
  load: string,
  profiles: readonly NamedProfile[],
  { window, requests, cpuSeconds }: Loaded,
): string {
  const positions = new SourcePositions(root);
  const sections = profiles.map(({ daemon, thread, profile }) => {
    const title = thread === '0' ? daemon : `${daemon}, thread ${thread}`;
    const summary = summarise(selfTimes(profile, window), positions);
    if (summary.busyMicros <= leastBusyPart * summary.totalMicros) return `## ${title}\n\nIdle.`;
    return renderSummary(title, summary, { requests, cpuSeconds: cpuSeconds.get(daemon) ?? 0 });
  });
  return [`# Where the time goes: ${load}, in the clear`, ...sections].join('\n\n');
}
