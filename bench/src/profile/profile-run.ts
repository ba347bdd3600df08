import { copyFile, mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runWrk } from '../load/wrk.ts';
import type { Options } from '../options.ts';
import { say } from '../progress.ts';
import { startOrigin } from '../system/nginx.ts';
import { root } from '../system/program.ts';
import { startPullwire } from '../system/pullwire.ts';
import type { System } from '../system/system.ts';
import type { Workbench } from '../workbench.ts';
import { type CpuProfile, selfTimes, type TimeWindow } from './cpu-profile.ts';
import { renderSummary, summarise } from './profile-summary.ts';
import { SourcePositions } from './source-position.ts';

const connections = 32;
/** Threads that were busy for less are not worth a table. */
const leastBusyPart = 0.01;

interface NamedProfile {
  readonly name: string;
  readonly file: string;
  readonly profile: CpuProfile;
}

/**
 * Loads relay and agent under V8's profiler, and says as Markdown where each of their threads spent the time of the
 * load. The profiles are kept in `results`, for Chrome's DevTools.
 */
export async function runProfile(
  workbench: Workbench,
  { seconds }: Pick<Options, 'seconds'>,
  results: string,
): Promise<string> {
  const origin = await startOrigin(workbench);
  const folder = join(workbench.folder, 'profiles');
  await mkdir(folder);
  // Written when the process ends, one file a thread.
  const nodeArgs = ['--cpu-prof', `--cpu-prof-dir=${folder}`];
  const system = await startPullwire(workbench, origin.port, { certificate: undefined, nodeArgs });
  const load = { payload: '200b', connections } as const;
  say('warming up …');
  await runWrk(system, { ...load, seconds: 3 }, workbench.signal);
  say(`loading for ${seconds} s …`);
  const from = monotonicMicros();
  const { requests, errors } = await runWrk(system, { ...load, seconds }, workbench.signal);
  const window = { from, to: monotonicMicros() };
  if (errors > 0)
    throw new Error(`${errors} requests failed: this is no profile of the usual path`);
  const pids = new Map(system.daemons.map(({ name, pid }) => [pid, name]));
  await stopAll(system);
  const profiles = await readProfiles(folder, pids);
  await keep(profiles, results);
  return render(profiles, window, requests);
}

function monotonicMicros(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}

async function stopAll({ daemons }: System): Promise<void> {
  for (const daemon of [...daemons].reverse()) await daemon.stop();
}

/** `CPU.<date>.<time>.<pid>.<thread>.<n>.cpuprofile`; thread 0 is the main one. */
async function readProfiles(
  folder: string,
  pids: ReadonlyMap<number, string>,
): Promise<NamedProfile[]> {
  const profiles: NamedProfile[] = [];
  for (const file of (await readdir(folder)).sort()) {
    const [, , , pid, thread] = file.split('.');
    const name = pids.get(Number(pid));
    if (name === undefined) continue;
    const path = join(folder, file);
    const profile = JSON.parse(await readFile(path, 'utf8')) as CpuProfile;
    profiles.push({
      name: thread === '0' ? name : `${name}-thread-${thread}`,
      file: path,
      profile,
    });
  }
  for (const name of pids.values()) {
    if (!profiles.some((one) => one.name === name)) throw new Error(`${name} wrote no profile`);
  }
  return profiles;
}

async function keep(profiles: readonly NamedProfile[], results: string): Promise<void> {
  await mkdir(results, { recursive: true });
  for (const { name, file } of profiles) await copyFile(file, join(results, `${name}.cpuprofile`));
}

function render(profiles: readonly NamedProfile[], window: TimeWindow, requests: number): string {
  const positions = new SourcePositions(root);
  const sections = profiles.map(({ name, profile }) => {
    const summary = summarise(selfTimes(profile, window), positions);
    if (summary.busyMicros < leastBusyPart * summary.totalMicros) return `## ${name}\n\nIdle.`;
    return renderSummary(name, summary, requests);
  });
  const title = `# Where the time goes: 200 B, ${connections} connections, in the clear`;
  return [title, ...sections].join('\n\n');
}
