import {
  access,
  constants,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUNDLES, bundlePackage } from './bundle.ts';
import { ROOT, runCommand } from './command.ts';

const sources = {
  'main.ts': `
    import { createRequire } from 'node:module';
    import { WebSocket } from 'ws';
    import { parse } from 'yaml';
    const { late } = await import('./late.ts');
    const engine = await import('dynalite').catch(() => 'absent');
    if (process.argv[2] === 'fail') late.fail();
    console.log(typeof createRequire, typeof WebSocket, parse('a: 1').a, late.word, typeof engine);`,
  'late.ts': `
    export const late = {
      word: 'inlined',
      fail: (): void => {
        throw new Error('planted');
      },
    };`,
  'worker.ts': `console.log('worker');`,
};

describe('a bundle', () => {
  let folder = '';
  const program = () => join(folder, 'dist/program.mjs');

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pullwire-bundle-'));
    await mkdir(join(folder, 'src'));
    await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    for (const [name, text] of Object.entries(sources)) {
      await writeFile(join(folder, 'src', name), text);
    }
    const bundles = [
      { entry: 'src/main.ts', out: 'program.mjs', kind: 'program' },
      { entry: 'src/worker.ts', out: 'worker.mjs', kind: 'worker' },
    ] as const;
    await bundlePackage(folder, bundles, async (fresh) => {
      await mkdir(join(fresh, 'lambda'), { recursive: true });
      await writeFile(join(fresh, 'lambda/one.zip'), 'zip');
    });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('is one file a program, with what it imports late inside', async () => {
    const files = await readdir(join(folder, 'dist'));
    expect(files.filter((file) => file.endsWith('.mjs')).sort()).toEqual([
      'program.mjs',
      'worker.mjs',
    ]);
  });

  it('stands beside what else was put into the same folder', async () => {
    expect(await readFile(join(folder, 'dist/lambda/one.zip'), 'utf8')).toBe('zip');
  });

  it('runs as a command, and takes native parts from node_modules', async () => {
    await access(program(), constants.X_OK);
    const run = await runCommand([program()], { output: 'collect' });
    expect(run).toEqual({ code: 0, output: 'function function 1 inlined object\n' });
  });

  it('leaves a worker without a first line for the shell', async () => {
    expect(await readFile(join(folder, 'dist/worker.mjs'), 'utf8')).not.toMatch(/^#!/);
  });

  it('maps an error back to the source line', async () => {
    const argv = ['node', '--enable-source-maps', program(), 'fail'] as const;
    const run = await runCommand(argv, { output: 'collect' });
    expect(run.code).toBe(1);
    expect(run.output).toMatch(/src\/late\.ts:5:/);
  });
});

it('every program and worker that a package ships has its bundle', async () => {
  for (const [name, bundles] of Object.entries(BUNDLES)) {
    const manifest = await readFile(join(ROOT, name, 'package.json'), 'utf8');
    const { bin } = JSON.parse(manifest) as { bin: Record<string, string> };
    const programs = bundles
      .filter(({ kind }) => kind === 'program')
      .map(({ out }) => `./dist/${out}`);
    expect(programs).toEqual(Object.values(bin));
  }
});
