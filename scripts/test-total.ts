import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TALLY_FILE, type Tally } from './tally-reporter.ts';

/** One package's part of a test run; `tally` is null when its run ended without writing one. */
export interface PackageTally {
  name: string;
  tally: Tally | null;
}

/** The whole run, as the closing lines show it. */
export interface Total {
  passed: number;
  failures: string[];
  skipped: { name: string; reason: string }[];
}

/** Reads the tally that a run in `folder` left, or null where it left none. */
export async function readTally(folder: string): Promise<Tally | null> {
  try {
    return JSON.parse(await readFile(join(folder, TALLY_FILE), 'utf8')) as Tally;
  } catch {
    return null;
  }
}

/**
 * Adds up what the packages came to. Whatever keeps a test from running counts as a failure: a
 * crashed suite, a package without a tally, and `runnersOk: false` where nothing else says why.
 */
export function addUp(packages: readonly PackageTally[], runnersOk: boolean): Total {
  const total: Total = { passed: 0, failures: [], skipped: [] };
  for (const { name, tally } of packages) addPackage(total, name, tally);
  if (!runnersOk && total.failures.length === 0) {
    total.failures.push('a test runner exited with an error; its output is above');
  }
  return total;
}

function addPackage(total: Total, name: string, tally: Tally | null): void {
  if (tally === null) {
    total.failures.push(`${name}: the tests did not run to their end; its output is above`);
    return;
  }
  total.passed += tally.passed;
  for (const test of tally.failed) total.failures.push(`${name}/${test}`);
  for (const crash of tally.crashed) total.failures.push(`${name}/${crash} (crashed)`);
  for (const skip of tally.skipped) {
    total.skipped.push({ name: `${name}/${skip.name}`, reason: skip.reason });
  }
}

/** A line for each file's outermost suite (or test) with skips, and each reason. */
function skipLines(skipped: Total['skipped']): string[] {
  const counts = new Map<string, number>();
  for (const { name, reason } of skipped) {
    const suite = name.split(' > ').slice(0, 2).join(' > ');
    const line = reason === '' ? suite : `${suite} (${reason})`;
    counts.set(line, (counts.get(line) ?? 0) + 1);
  }
  return [...counts].map(([line, count]) =>
    count === 1 ? `  ${line}` : `  ${line}: ${count} tests`,
  );
}

/** A run is good when something ran and nothing failed. */
export function isGreen(total: Total): boolean {
  return total.passed > 0 && total.failures.length === 0;
}

/** The last lines of a run; the very last is the plain one that CI reads. */
export function closingLines(total: Total): string[] {
  const lines: string[] = [];
  if (total.skipped.length > 0) lines.push('', 'Skipped:');
  lines.push(...skipLines(total.skipped));
  if (total.failures.length > 0) lines.push('', 'Failed:');
  for (const failure of total.failures) lines.push(`  ${failure}`);
  if (total.passed + total.failures.length === 0) lines.push('', 'No test ran.');
  const skips = total.skipped.length > 0 ? `, ${total.skipped.length} skipped` : '';
  lines.push('', `${total.passed} passed, ${total.failures.length} failed${skips}`);
  return lines;
}
