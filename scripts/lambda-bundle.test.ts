import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT, runCommand } from './command.ts';
import { bundleLambdas } from './lambda-bundle.ts';
import { lambdaNames } from './lambda-manifest.ts';
import { describeSize, type LambdaSize } from './lambda-size.ts';
import { stubEnvironment } from './lambda-stub-environment.ts';

const planted = {
  'late.ts': `
    import { WebSocket } from 'ws';
    import { parse } from 'yaml';
    import { word } from '../../word.ts';
    export const handler = async () => [typeof WebSocket, parse('a: 1').a, word];`,
  'plain.ts': `export const handler = async () => 'plain';`,
  'plain.test.ts': `throw new Error('a test is no function');`,
};

let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pullwire-lambda-'));
  await mkdir(join(folder, 'src/lambda/functions'), { recursive: true });
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  await writeFile(join(folder, 'src/word.ts'), `export const word: string = 'inlined';`);
  for (const [name, text] of Object.entries(planted)) {
    await writeFile(join(folder, 'src/lambda/functions', name), text);
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const names = ['late', 'plain'];

/** Runs a script as Lambda would find the function: the files of the zip beside it and nothing else. */
async function runUnzipped(zip: string, script: string, env = process.env): Promise<string> {
  const place = await mkdtemp(join(tmpdir(), 'pullwire-unzipped-'));
  try {
    for (const [name, bytes] of Object.entries(unzipSync(await readFile(zip)))) {
      await writeFile(join(place, name), bytes);
    }
    const argv = ['node', '--input-type=module', '-e', script] as const;
    const { output } = await runCommand(argv, { cwd: place, env, output: 'collect' });
    return output.trim().slice(-500); // an error shows the line it came from, which is the whole bundle
  } finally {
    await rm(place, { recursive: true });
  }
}

describe('the bundles of Lambda functions', () => {
  const out = () => join(folder, 'out');
  let sizes: LambdaSize[] = [];
  beforeAll(async () => {
    sizes = await bundleLambdas(folder, out(), names);
  });

  it('are a zip and a source map a function, and a list of their sizes', async () => {
    expect((await readdir(out())).sort()).toEqual([
      'late.mjs.map',
      'late.zip',
      'plain.mjs.map',
      'plain.zip',
      'sizes.json',
    ]);
    expect(JSON.parse(await readFile(join(out(), 'sizes.json'), 'utf8'))).toEqual(sizes);
  });

  it('hold one file that runs without node_modules', async () => {
    const files = unzipSync(await readFile(join(out(), 'plain.zip')));
    expect(Object.keys(files)).toEqual(['index.mjs']);
    const call = `const { handler } = await import('./index.mjs'); console.log(JSON.stringify(await handler()))`;
    expect(await runUnzipped(join(out(), 'late.zip'), call)).toBe('["function",1,"inlined"]');
  });

  it('say what is in them, by package', () => {
    const [late, plain] = sizes;
    expect(Object.keys(late?.packages ?? {}).sort()).toEqual(['cloud', 'ws', 'yaml']);
    expect(Object.keys(plain?.packages ?? {})).toEqual(['cloud']);
    expect(late?.bytes).toBeGreaterThan(50_000);
    expect(describeSize(late as LambdaSize)).toMatch(
      /^late: \d+ KB of 600 KB \(zip \d+ KB\): yaml \d+ KB, ws \d+ KB, cloud \d+ KB$/,
    );
  });

  it('are the same bytes from the same input, in any time zone', async () => {
    const zone = process.env['TZ'];
    process.env['TZ'] = 'Pacific/Kiritimati';
    try {
      await bundleLambdas(folder, join(folder, 'again'), names);
    } finally {
      if (zone === undefined) delete process.env['TZ'];
      else process.env['TZ'] = zone;
    }
    for (const name of names) {
      const [one, other] = await Promise.all(
        ['out', 'again'].map((place) => readFile(join(folder, place, `${name}.zip`))),
      );
      expect(one?.equals(other as Buffer)).toBe(true);
    }
  });

  it('are refused where entries and terraform/relay.json differ', async () => {
    const build = (list: string[]) => bundleLambdas(folder, join(folder, 'other'), list);
    await expect(build(['late', 'plain', 'more'])).rejects.toThrow(/without an entry: more$/);
    await expect(build(['late'])).rejects.toThrow(/not in relay.json: plain$/);
  });

  it('are left out where there are no entries', async () => {
    const empty = await mkdtemp(join(tmpdir(), 'pullwire-empty-'));
    expect(await bundleLambdas(empty, join(empty, 'out'), names)).toEqual([]);
    expect(await readdir(empty)).toEqual([]);
    await rm(empty, { recursive: true });
  });
});

describe('the relay’s functions', () => {
  let place = '';
  let sizes: LambdaSize[] = [];
  beforeAll(async () => {
    place = await mkdtemp(join(tmpdir(), 'pullwire-functions-'));
    sizes = await bundleLambdas(join(ROOT, 'cloud'), place, await lambdaNames());
  });
  afterAll(() => rm(place, { recursive: true, force: true }));

  it('keep within their budgets', () => {
    for (const size of sizes) console.log(describeSize(size));
    const over = sizes.filter(({ bytes, budget }) => bytes > budget);
    expect(over.map(describeSize)).toEqual([]);
  });

  it('hold nothing that looks for credentials, and nothing that writes or reads in threads', () => {
    const packages = new Set(sizes.flatMap((size) => Object.keys(size.packages)));
    expect([...packages].filter((name) => /credential-provider|thread/.test(name))).toEqual([]);
  });

  it('load without node_modules, with the variables that Lambda and Terraform set', async () => {
    const load = `const { handler } = await import('./index.mjs'); console.log(typeof handler); process.exit()`;
    const env = { ...stubEnvironment, PATH: process.env['PATH'] };
    for (const { name } of sizes) {
      expect(await runUnzipped(join(place, `${name}.zip`), load, env), name).toBe('function');
    }
  });
});
