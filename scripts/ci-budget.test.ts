import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT } from './command.ts';

/** Seconds by stage, as a file's lines give them. */
async function budgets(file: string, line: RegExp): Promise<Map<string, number>> {
  const text = await readFile(join(ROOT, file), 'utf8');
  return new Map(
    [...text.matchAll(line)].map(([, stage = '', seconds]) => [stage, Number(seconds)]),
  );
}

it('CONTRIBUTING.md gives the budgets that .ci/run enforces, 40 minutes at most in all', async () => {
  const enforced = await budgets('.ci/run', /\bstage ([a-z]+) (\d+) \S/g);
  const documented = await budgets('CONTRIBUTING.md', /^\| ([a-z]+) \| (\d+) s \|/gm);
  expect(enforced.size).toBeGreaterThan(0);
  expect([...documented]).toEqual([...enforced]);
  expect([...enforced.values()].reduce((sum, seconds) => sum + seconds, 0)).toBeLessThanOrEqual(
    2400,
  );
});
