import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT, runCommand } from '../command.ts';

/** What a file may not hold, and the rule of biome.json that has to say so. */
const planted: [rule: string, file: string, text: string][] = [
  ['noFocusedTests', 'agent/src/a.test.ts', `it.only('runs alone', () => {});`],
  ['noSkippedTests', 'cloud/src/a.test.ts', `it.skip('runs never', () => {});`],
  ['useImportExtensions', 'shared/src/a.ts', `import { b } from './b';\nb();`],
  ['useImportExtensions', 'shared/src/c.ts', `import { b } from './b.js';\nb();`],
  ['useImportType', 'shared/src/d.ts', `import { B } from './b.ts';\nexport type C = B;`],
  ['noExplicitAny', 'demo/src/a.ts', 'export let a: any;'],
  ['noNonNullAssertion', 'test/src/a.ts', 'export const a = (b?: string) => b!.length;'],
  ['noConsole', 'agent/src/link/a.ts', `console.log('a');`],
  ['noConsole', 'cloud/src/pull/a.ts', `console.error('a');`],
  ['noProcessEnv', 'cloud/src/server/a.ts', 'export const a = process.env.A;'],
  ['noFloatingPromises', 'cloud/src/reply/a.ts', 'const f = async () => {};\nf();'],
  ['useFilenamingConvention', 'shared/src/linkState.ts', 'export const a = 1;'],
  ['noDefaultExport', 'shared/src/e.ts', 'export default 1;'],
];

/** What is allowed where it belongs. */
const allowed: [file: string, text: string][] = [
  ['shared/src/b.ts', 'export const b = (): void => {};\nexport interface B {\n  c: number;\n}'],
  ['agent/src/main.ts', `console.log(process.env.A);`],
  ['cloud/src/cli/a.ts', `console.log('a');`],
  ['agent/src/config/a.ts', 'export const a = process.env.A;'],
  ['test/vitest.config.ts', 'export default {};'],
];

interface Report {
  diagnostics: { category: string; location: { path: string | null } }[];
}

describe('the lint rules', () => {
  let root = '';
  let found: string[] = [];

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'pullwire-lint-'));
    await copyFile(join(ROOT, 'biome.json'), join(root, 'biome.json'));
    const files = [...planted.map(([, ...file]) => file), ...allowed];
    for (const [file, text] of files) {
      await mkdir(dirname(join(root, file)), { recursive: true });
      await writeFile(join(root, file), `${text}\n`);
    }
    const flags = ['--vcs-enabled=false', '--max-diagnostics=none', '--reporter=json'] as const;
    const lint = ['biome', 'lint', ...flags, '.'] as const;
    const { output } = await runCommand(lint, { cwd: root, output: 'collect' });
    const report = JSON.parse(
      output.slice(output.indexOf('{'), output.lastIndexOf('}') + 1),
    ) as Report;
    found = report.diagnostics.map(({ category, location }) => `${location.path} ${category}`);
  });
  afterAll(() => rm(root, { recursive: true, force: true }));

  it.each(planted)('%s catches what is planted in %s', (rule, file) => {
    expect(found).toContainEqual(expect.stringMatching(`^(\\./)?${file} lint/.*/${rule}$`));
  });

  it('leave alone what is in its place', () => {
    const innocent = new Set(allowed.map(([file]) => file));
    expect(found.filter((line) => innocent.has(line.split(' ')[0] ?? ''))).toEqual([]);
  });
});
