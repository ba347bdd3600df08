import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Reporter, TestCase, TestModule, TestSuite, Vitest } from 'vitest/node';

/** What one vitest run came to. Names are full: file, then suites, then test. */
export interface Tally {
  passed: number;
  failed: string[];
  skipped: { name: string; reason: string }[];
  /** What failed outside a test: a file that cannot be loaded, a hook, an unhandled error. */
  crashed: string[];
}

/** Where a package's run leaves its tally, relative to the package. */
export const TALLY_FILE = '.results/tally.json';

/**
 * Writes a run's {@link Tally} when it ends. Vitest's own JSON report leaves out the reason of a
 * skip and the errors that belong to no test, and lists tests behind a failed `beforeAll` as
 * skipped; all of these have to count.
 */
export class TallyReporter implements Reporter {
  #root = '.';

  onInit(vitest: Vitest): void {
    this.#root = vitest.config.root;
  }

  async onTestRunEnd(
    modules: readonly TestModule[],
    unhandledErrors: readonly { message: string }[],
  ): Promise<void> {
    const tally: Tally = { passed: 0, failed: [], skipped: [], crashed: [] };
    for (const error of unhandledErrors) tally.crashed.push(`unhandled error: ${error.message}`);
    for (const module of modules) addModule(tally, module);
    const file = resolve(this.#root, TALLY_FILE);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, JSON.stringify(tally));
  }
}

function addModule(tally: Tally, module: TestModule): void {
  const file = module.relativeModuleId;
  if (module.errors().length > 0 || module.state() === 'queued' || module.state() === 'pending') {
    tally.crashed.push(file);
  }
  for (const suite of module.children.allSuites()) addSuite(tally, file, suite);
  for (const test of module.children.allTests()) addTest(tally, file, test);
}

function addSuite(tally: Tally, file: string, suite: TestSuite): void {
  if (suite.errors().length > 0) tally.crashed.push(`${file} > ${suite.fullName}`);
}

function addTest(tally: Tally, file: string, test: TestCase): void {
  const name = `${file} > ${test.fullName}`;
  const result = test.result();
  if (result.state === 'passed') tally.passed += 1;
  else if (result.state === 'skipped') tally.skipped.push({ name, reason: result.note ?? '' });
  else tally.failed.push(name);
}
