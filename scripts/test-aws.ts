/**
 * `npm run test:aws`: what runs on the strict gateway and on ministack, in full length, and nothing else. The last line is
 * `N passed, N failed`, with `, N skipped` where some were.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT, runCommand } from './command.ts';
import { TALLY_FILE } from './tally-reporter.ts';
import { addUp, closingLines, isGreen, readTally } from './test-total.ts';

/** Package and the tests in it, as vitest takes them. */
const suites = [
  { name: 'cloud', tests: ['src/lambda', 'src/session', 'src/object', 'test/'] },
  { name: 'test', tests: ['cloud', 'hosts', 'uploads', 'aws-'] },
] as const;

const packages = [];
let ran = true;
for (const { name, tests } of suites) {
  const folder = join(ROOT, name);
  await rm(join(folder, TALLY_FILE), { force: true });
  const { code } = await runCommand(['vitest', 'run', '--root', name, ...tests], {
    env: { ...process.env, PULLWIRE_LONG: '1' },
    output: 'show',
  });
  ran &&= code === 0;
  packages.push({ name, tally: await readTally(folder) });
}
const total = addUp(packages, ran);
process.stdout.write(`${closingLines(total).join('\n')}\n`);
process.exitCode = isGreen(total) ? 0 : 1;
