/**
 * `npm run check:repo`: what holds for the repository as a whole. Each check is one line, `ok`, `skipped`
 * with the reason, or `failed` with what to do, followed by what it found. Tests are not run here.
 */
import { agreementCheck } from './check/agreement.ts';
import { type Check, commandCheck } from './check/check.ts';
import { dockerfileCheck } from './check/dockerfile.ts';
import { importsCheck } from './check/imports.ts';
import { lockFileCheck } from './check/lock-file.ts';
import { readmeCheck } from './check/readme.ts';
import { terraformCheck } from './check/terraform.ts';
import { terraformReadmeCheck } from './check/terraform-readme.ts';

const CHECKS: readonly Check[] = [
  commandCheck(
    'format and lint',
    ['biome', 'ci', '--error-on-warnings', '--colors=off', '.'],
    'run `npm run format`; the rest is fixed by hand (rules: biome.json)',
  ),
  commandCheck('types', ['tsc', '--build', '--pretty', 'false'], 'fix the types'),
  importsCheck,
  commandCheck(
    'nothing unused',
    ['knip', '--no-progress'],
    'remove it, or name a new entry file in knip.json',
  ),
  lockFileCheck,
  readmeCheck,
  terraformReadmeCheck,
  terraformCheck,
  dockerfileCheck,
  agreementCheck,
];

async function runCheck({ name, advice, missing, run }: Check): Promise<boolean> {
  const reason = missing?.();
  if (reason !== undefined) {
    const isCi = process.env['CI'] === 'true';
    process.stdout.write(`${isCi ? 'failed ' : 'skipped'} ${name}: ${reason}\n`);
    return !isCi;
  }
  const start = performance.now();
  const found = await run().catch((error: unknown) => String(error));
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const verdict = found === '' ? `ok      ${name}` : `failed  ${name}: ${advice}`;
  process.stdout.write(`${verdict} (${seconds} s)\n`);
  if (found !== '') process.stdout.write(`${found.trimEnd().replace(/^/gm, '        ')}\n`);
  return found === '';
}

const results: boolean[] = [];
for (const check of CHECKS) results.push(await runCheck(check));
process.exitCode = results.every((ok) => ok) ? 0 : 1;
