import { type CaseName, cases } from './case.ts';
import { download } from './load/curl.ts';
import { runWrk } from './load/wrk.ts';
import { type Usage, UsageWatch } from './process/usage-watch.ts';
import type { System, SystemName } from './system/system.ts';

/** One system under one case, once. */
export interface Measurement extends Usage {
  readonly system: SystemName;
  readonly case: CaseName;
  readonly round: number;
  readonly seconds: number;
  readonly requests: number;
  /** Of load: heads too. */
  readonly bytes: number;
  readonly errors: number;
  /** Only of load. */
  readonly p50Ms?: number;
  readonly p99Ms?: number;
}

type Work = Omit<Measurement, keyof Usage | 'system' | 'case' | 'round'>;

/**
 * Measures one system under one case.
 *
 * @throws Error where one of its processes has ended, or a download is not whole.
 */
export async function measure(
  system: System,
  name: CaseName,
  settings: { readonly round: number; readonly seconds: number; readonly signal: AbortSignal },
): Promise<Measurement> {
  const { round, seconds, signal } = settings;
  const watch = new UsageWatch(system.daemons);
  watch.start();
  try {
    const work = await run(system, name, seconds, signal);
    return { system: system.name, case: name, round, ...work, ...watch.stop() };
  } finally {
    watch.stop();
    for (const daemon of system.daemons) {
      daemon.assertRunning(); // one that has ended says more than whoever missed it
      daemon.forgetLog();
    }
  }
}

async function run(
  system: System,
  name: CaseName,
  seconds: number,
  signal: AbortSignal,
): Promise<Work> {
  const { [name]: found } = cases;
  if (found.kind === 'load') {
    const { payload, connections, leastSeconds } = found;
    const load = { payload, connections, seconds: Math.max(seconds, leastSeconds) };
    return runWrk(system, load, signal);
  }
  return { ...(await download(system, found.payload, signal)), requests: 1, errors: 0 };
}
