import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BuildOptions, build, type OutputFile } from 'esbuild';
import { type LambdaSize, packageSizes, sizeBudget } from './lambda-size.ts';
import { slim } from './lambda-slim.ts';
import { deterministicZip } from './lambda-zip.ts';

/** Where the functions' entries are, below the package: a file a function. */
const entries = 'src/lambda/functions';

/**
 * Builds the Lambda functions of a package into a folder: `<name>.zip` holds one `index.mjs` (and the licences of what
 * is in it), its source map lies beside, and `sizes.json` lists the sizes. The map does not ship: reading it would cost
 * each cold start more than a readable stack is worth.
 *
 * `names`: the functions that there are. Where there is no entry at all, nothing is built.
 *
 * @throws Error where entries and names differ, or the build's error, which esbuild has then already printed.
 */
export async function bundleLambdas(
  folder: string,
  into: string,
  names: readonly string[],
): Promise<LambdaSize[]> {
  const found = await entryNames(folder);
  if (found.length === 0) return [];
  checkNames(found, names);
  await mkdir(into, { recursive: true });
  const sizes = await Promise.all(found.map((name) => bundleLambda(folder, into, name)));
  await writeFile(join(into, 'sizes.json'), `${JSON.stringify(sizes, null, 2)}\n`);
  return sizes;
}

async function entryNames(folder: string): Promise<string[]> {
  const path = join(folder, entries);
  if (!existsSync(path)) return [];
  const files = await readdir(path);
  return files
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => file.slice(0, -'.ts'.length))
    .sort();
}

function checkNames(found: readonly string[], names: readonly string[]): void {
  const missing = names.filter((name) => !found.includes(name));
  const unknown = found.filter((name) => !names.includes(name));
  if (missing.length + unknown.length === 0) return;
  const list = (label: string, which: string[]) =>
    which.length === 0 ? '' : `; ${label}: ${which}`;
  throw new Error(
    `${entries} and the functions of terraform/relay.json differ` +
      list('without an entry', missing) +
      list('not in relay.json', unknown),
  );
}

async function bundleLambda(folder: string, into: string, name: string): Promise<LambdaSize> {
  const { outputFiles, metafile } = await build({
    ...settings,
    absWorkingDir: folder,
    entryPoints: [`${entries}/${name}.ts`],
  });
  const code = contentsOf(outputFiles, '.mjs');
  if (code === undefined) throw new Error(`esbuild wrote no code for ${name}`);
  const legal = contentsOf(outputFiles, '.LEGAL.txt');
  const licences = legal === undefined ? {} : { 'index.mjs.LEGAL.txt': legal };
  const zip = deterministicZip({ 'index.mjs': code, ...licences });
  await writeFile(join(into, `${name}.zip`), zip);
  await writeFile(join(into, `${name}.mjs.map`), contentsOf(outputFiles, '.map') ?? '');
  return {
    name,
    bytes: code.length,
    budget: sizeBudget(name),
    zipBytes: zip.length,
    packages: packageSizes(metafile),
  };
}

function contentsOf(files: readonly OutputFile[], ending: string): Uint8Array | undefined {
  return files.find(({ path }) => path.endsWith(ending))?.contents;
}

// CommonJS inside an ES module asks for `require`; where none is, the line costs nothing.
const banner =
  "import { createRequire as pullwireCreateRequire } from 'node:module';" +
  'const require = pullwireCreateRequire(import.meta.url);';

const settings = {
  outfile: 'index.mjs', // in memory only
  write: false,
  metafile: true,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  minify: true,
  sourcemap: 'external',
  sourcesContent: false,
  legalComments: 'linked',
  // ES modules of packages before their CommonJS: only these lose what is not used.
  mainFields: ['module', 'main'],
  banner: { js: banner },
  plugins: [slim],
  // Whoever asks for the type of this global makes Node load it: 5 ms, for ws in a browser's words.
  define: { Blob: 'undefined' },
  logLevel: 'warning',
} as const satisfies BuildOptions;
