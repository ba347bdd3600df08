/**
 * `npm test`: every package's tests, run for real (turbo's cache is passed over), one package
 * after the other, since some of them measure time on two cores. `--long` also runs what
 * asks for PULLWIRE_LONG. The last line is `N passed, N failed`, with `, N skipped` where some were.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT, runCommand } from './command.ts';
import { TALLY_FILE } from './tally-reporter.ts';
import { addUp, closingLines, isGreen, readTally } from './test-total.ts';
import { workspacesWith } from './workspace.ts';

const REPOSITORY_TESTS = ['vitest', 'run', '--root', 'scripts'] as const;
const PACKAGE_TESTS = [
  'turbo',
  ...['run', 'test', '--force', '--concurrency=1', '--continue=dependencies-successful'],
  ...['--log-prefix=none', '--output-logs=full'],
] as const;

const { values: flags } = parseArgs({ options: { long: { type: 'boolean', default: false } } });
const env = {
  ...process.env,
  TURBO_TELEMETRY_DISABLED: '1',
  ...(flags.long ? { PULLWIRE_LONG: '1' } : {}),
};

const folders = ['scripts', ...(await workspacesWith('test'))];
await Promise.all(folders.map((folder) => rm(join(ROOT, folder, TALLY_FILE), { force: true })));

const first = await runCommand(REPOSITORY_TESTS, { env, output: 'show' });
const second = await runCommand(PACKAGE_TESTS, { env, output: 'show' });

const packages = await Promise.all(
  folders.map(async (name) => ({ name, tally: await readTally(join(ROOT, name)) })),
);
const total = addUp(packages, first.code === 0 && second.code === 0);
process.stdout.write(`${closingLines(total).join('\n')}\n`);
process.exitCode = isGreen(total) ? 0 : 1;
