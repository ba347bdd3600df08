/** `npm run bench`: see bench/README.md, or `--help`. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runBench } from './bench-run.ts';
import type { LoadCaseName } from './case.ts';
import { type Options, parseOptions, UsageError, usage } from './options.ts';
import { runProfile } from './profile/profile-run.ts';
import { say } from './progress.ts';
import { renderReport, reportOf } from './report/report.ts';
import { allMet } from './report/target.ts';
import { assertBuilt, buildPrograms } from './system/program.ts';
import { withWorkbench } from './workbench.ts';

const results = fileURLToPath(new URL('../results/', import.meta.url));

async function main(args: readonly string[], signal: AbortSignal): Promise<number> {
  const options = parseOptions(args);
  if (options === 'help') {
    process.stdout.write(`${usage}\n`);
    return 0;
  }
  if (needsPrograms(options)) {
    if (options.build) {
      say('building what ships …');
      await buildPrograms(signal);
    }
    await assertBuilt();
  }
  return options.profile === undefined
    ? bench(options, signal)
    : profile(options, options.profile, signal);
}

function needsPrograms({ profile, links, systems }: Options): boolean {
  return (
    profile !== undefined ||
    links > 0 ||
    systems.includes('pullwire') ||
    systems.includes('pullwire-tls')
  );
}

async function profile(
  { seconds }: Options,
  name: LoadCaseName,
  signal: AbortSignal,
): Promise<number> {
  const text = await withWorkbench(signal, (workbench) =>
    runProfile(workbench, { name, seconds, results }),
  );
  process.stdout.write(`${text}\n\n`);
  say(`The profiles are in ${results}*.cpuprofile`);
  return 0;
}

async function bench(options: Options, signal: AbortSignal): Promise<number> {
  const report = reportOf(await withWorkbench(signal, (workbench) => runBench(workbench, options)));
  await mkdir(results, { recursive: true });
  const file = join(results, 'latest.json');
  await writeFile(file, `${JSON.stringify(report, undefined, 2)}\n`);
  process.stdout.write(`${renderReport(report)}\n\n`);
  say(`Everything is in ${file}`);
  return options.strict && !allMet(report.targets) ? 1 : 0;
}

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (!stop.signal.aborted) say('\nending what was started …');
    stop.abort();
  });
}

try {
  process.exitCode = await main(process.argv.slice(2), stop.signal);
} catch (error) {
  if (error instanceof UsageError) {
    say(`${error.message}\n\n${usage}`);
    process.exitCode = 2;
  } else {
    say(stop.signal.aborted ? 'Interrupted.' : describe(error));
    process.exitCode = stop.signal.aborted ? 130 : 1;
  }
}

/** With what led to it, and with every failure of several. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const inner = error instanceof AggregateError ? error.errors : [error.cause];
  const causes = inner.filter((cause) => cause !== undefined).map(describe);
  return [error.stack ?? error.message, ...causes].join('\n');
}
