import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT, runCommand } from './command.ts';
import type { Tally } from './tally-reporter.ts';
import { addUp, closingLines, isGreen, readTally } from './test-total.ts';

const green: Tally = { passed: 3, failed: [], skipped: [], crashed: [] };
const lastLine = (...run: Parameters<typeof addUp>) => closingLines(addUp(...run)).at(-1);

describe('the closing line', () => {
  it('is `N passed, N failed`, over all packages', () => {
    const run = [
      { name: 'agent', tally: green },
      { name: 'cloud', tally: { ...green, failed: ['a.test.ts > b'] } },
    ];
    expect(lastLine(run, false)).toBe('6 passed, 1 failed');
  });

  it('names skips only where there are some, each with its reason above', () => {
    const skipped = [{ name: 'a.test.ts > b', reason: 'no nginx' }];
    const lines = closingLines(addUp([{ name: 'test', tally: { ...green, skipped } }], true));
    expect(lines).toContain('  test/a.test.ts > b (no nginx)');
    expect(lines.at(-1)).toBe('3 passed, 0 failed, 1 skipped');
  });

  it('comes after one line for each suite of skips', () => {
    const names = ['a.test.ts > on nginx > b', 'a.test.ts > on nginx > c > d', 'a.test.ts > e'];
    const skipped = names.map((name) => ({ name, reason: '' }));
    const lines = closingLines(addUp([{ name: 'test', tally: { ...green, skipped } }], true));
    expect(lines.slice(1, 4)).toEqual([
      'Skipped:',
      '  test/a.test.ts > on nginx: 2 tests',
      '  test/a.test.ts > e',
    ]);
  });

  it('counts a package that left no tally as one failure', () => {
    const run = [
      { name: 'agent', tally: green },
      { name: 'cloud', tally: null },
    ];
    expect(lastLine(run, false)).toBe('3 passed, 1 failed');
  });

  it('counts a runner that failed for a reason of its own as one failure', () => {
    expect(lastLine([{ name: 'agent', tally: green }], false)).toBe('3 passed, 1 failed');
  });
});

describe('a run is not green', () => {
  it('when no test ran', () => {
    expect(isGreen(addUp([{ name: 'a', tally: { ...green, passed: 0 } }], true))).toBe(false);
  });

  it('when a suite crashed, though no test failed', () => {
    const tally = { ...green, crashed: ['a.test.ts'] };
    expect(isGreen(addUp([{ name: 'a', tally }], true))).toBe(false);
  });
});

describe('the tally of a real vitest run', () => {
  const config = `
    import { vitestBase } from '${ROOT}vitest.base.ts';
    export default vitestBase({ include: ['*.test.ts'] });`;
  const files = {
    'vitest.config.ts': config,
    'plain.test.ts': `
      import { beforeAll, describe, expect, it } from 'vitest';
      it('passes', () => {});
      it('fails', () => expect(1).toBe(2));
      it('is skipped', (test) => test.skip('a reason'));
      describe('behind a broken hook', () => {
        beforeAll(() => { throw new Error('broken'); });
        it('never runs', () => {});
      });`,
    'unloadable.test.ts': `import './nowhere.ts';`,
    'rejecting.test.ts': `
      import { it } from 'vitest';
      it('leaves a rejection behind', () => { Promise.reject(new Error('left behind')); });`,
    'exiting.test.ts': `
      import { it } from 'vitest';
      it('kills its worker', () => { process.kill(process.pid, 'SIGKILL'); });`,
  };
  let folder = '';
  let code = 0;
  let tally: Tally | null = null;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pullwire-tally-'));
    await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    const run = await runCommand(['vitest', 'run', '--root', folder], { output: 'collect' });
    code = run.code;
    tally = await readTally(folder);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('holds what passed, failed and was skipped', () => {
    expect(code).toBe(1);
    expect(tally?.passed).toBe(2);
    expect(tally?.failed).toContain('plain.test.ts > fails');
    expect(tally?.skipped).toContainEqual({
      name: 'plain.test.ts > is skipped',
      reason: 'a reason',
    });
  });

  it('holds what failed outside any test', () => {
    expect(tally?.crashed).toEqual(
      expect.arrayContaining([
        'unloadable.test.ts',
        'plain.test.ts > behind a broken hook',
        'unhandled error: left behind',
        'exiting.test.ts',
      ]),
    );
  });
});
