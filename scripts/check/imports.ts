import { glob } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT, runCommand } from '../command.ts';
import type { Check } from './check.ts';

const CONFIG = join(ROOT, '.dependency-cruiser.mjs');
const FOLDERS = ['shared', 'agent', 'cloud', 'demo', 'bench', 'test', 'scripts'];

/** Fewer files or imports than this and the tool has read something else than our sources. */
const FLOOR = 50;

/** What dependency-cruiser made of a tree; paths are relative to the tree. */
export interface Imports {
  violations: { rule: string; from: string; to: string }[];
  /** The names of the rules in force. */
  rules: string[];
  /** The files it read. */
  read: Set<string>;
  /** How many imports it followed. A parser that gives up on TypeScript finds none. */
  followed: number;
}

interface CruiseReport {
  modules: { source: string }[];
  summary: {
    totalDependenciesCruised: number;
    ruleSetUsed: { forbidden: { name: string }[] };
    violations: { rule: { name: string }; from: string; to: string }[];
  };
}

/**
 * Reads the imports of the tree at `root`, laid out as this repository, by our rules.
 *
 * @throws Error with the tool's output where it did not report.
 */
export async function cruise(root: string): Promise<Imports> {
  const argv = ['depcruise', '--config', CONFIG, '--output-type', 'json', ...FOLDERS] as const;
  const { output } = await runCommand(argv, { cwd: root, output: 'collect' });
  if (!output.startsWith('{')) throw new Error(`dependency-cruiser did not report: ${output}`);
  const report = JSON.parse(output) as CruiseReport;
  return {
    violations: report.summary.violations.map(({ rule, from, to }) => ({
      rule: rule.name,
      from,
      to,
    })),
    rules: report.summary.ruleSetUsed.forbidden.map(({ name }) => name),
    read: new Set(report.modules.map(({ source }) => source)),
    followed: report.summary.totalDependenciesCruised,
  };
}

/** Every TypeScript file of ours under `root`. */
export async function sourceFiles(root: string): Promise<string[]> {
  const exclude = (path: string) => /(^|\/)(node_modules|dist|coverage)$/.test(path);
  const pattern = `{${FOLDERS.join(',')}}/**/*.ts`;
  const files: string[] = [];
  for await (const file of glob(pattern, { cwd: root, exclude })) files.push(file);
  return files;
}

/** What is wrong with the imports, a line each; none when all is well. */
export function complaints(imports: Imports, files: readonly string[], floor: number): string[] {
  const lines = imports.violations.map(({ rule, from, to }) => `${rule}: ${from} -> ${to}`);
  for (const file of files) {
    if (!imports.read.has(file)) lines.push(`dependency-cruiser did not read ${file}`);
  }
  for (const [what, count] of [
    ['files', imports.read.size],
    ['imports', imports.followed],
  ] as const) {
    if (count < floor) lines.push(`dependency-cruiser read only ${count} ${what}, under ${floor}`);
  }
  return lines;
}

export const importsCheck: Check = {
  name: 'imports run one way',
  advice: 'each rule and its reason stand in .dependency-cruiser.mjs',
  async run() {
    const [imports, files] = await Promise.all([cruise(ROOT), sourceFiles(ROOT)]);
    return complaints(imports, files, FLOOR).join('\n');
  },
};
