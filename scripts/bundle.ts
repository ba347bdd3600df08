/**
 * `node scripts/bundle.ts agent|cloud`: the programs as they ship, one minified file each, with a
 * source map beside it, and the relay's Lambda functions as zips. Node does not run TypeScript under `node_modules`, so a package, an image
 * or a Lambda gets these. Native parts are left out and resolved from `node_modules` at run time.
 */
import { existsSync, readFileSync } from 'node:fs';
import { chmod, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type BuildOptions, build } from 'esbuild';
import { bundleLambdas } from './lambda-bundle.ts';
import { lambdaNames } from './lambda-manifest.ts';

/** One file to build: `entry` is relative to the package, `out` to its `dist`; a program is executable. */
export interface Bundle {
  entry: string;
  out: string;
  kind: 'program' | 'worker';
}

export const BUNDLES: Readonly<Record<string, readonly Bundle[]>> = {
  agent: [{ entry: 'src/main.ts', out: 'pullwire-agent.mjs', kind: 'program' }],
  cloud: [
    { entry: 'src/main.ts', out: 'pullwire-relay.mjs', kind: 'program' },
    { entry: 'src/server/engine-worker.ts', out: 'pullwire-engine.mjs', kind: 'worker' },
  ],
};

/** Optional native code of `ws`, and the embedded database with its LevelDB binding. */
const EXTERNAL = ['bufferutil', 'utf-8-validate', 'dynalite', 'classic-level'];

// CommonJS inside an ES module still asks for `require`: the AWS SDK and ws do.
const REQUIRE =
  "import { createRequire as pullwireCreateRequire } from 'node:module';\n" +
  'const require = pullwireCreateRequire(import.meta.url);';
const SHEBANG = '#!/usr/bin/env node\n';

const SETTINGS: BuildOptions = {
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  minify: true, // without keepNames: it costs a call for each closure on the hot path
  sourcemap: 'linked',
  sourcesContent: false,
  legalComments: 'linked',
  external: EXTERNAL,
  logLevel: 'warning',
};

/**
 * Builds one package's bundles. They take the place of what stood in its `dist` all at once, when they are whole: a
 * program that starts meanwhile finds the old ones.
 *
 * `more`: puts further files into the folder that becomes `dist`.
 *
 * @throws the build's error, which esbuild has then already printed.
 */
export async function bundlePackage(
  folder: string,
  bundles: readonly Bundle[],
  more: (fresh: string) => Promise<unknown> = async () => {},
): Promise<void> {
  const dist = join(folder, 'dist');
  const fresh = `${dist}.new.${process.pid}`;
  const stale = `${dist}.old.${process.pid}`;
  await Promise.all([fresh, stale].map((path) => rm(path, { recursive: true, force: true })));
  await Promise.all([...bundles.map((bundle) => bundleOne(folder, fresh, bundle)), more(fresh)]);
  if (existsSync(dist)) await rename(dist, stale);
  await rename(fresh, dist);
  await rm(stale, { recursive: true, force: true });
}

async function bundleOne(
  folder: string,
  into: string,
  { entry, out, kind }: Bundle,
): Promise<void> {
  const outfile = join(into, out);
  const shebang = kind === 'program' && !hasShebang(join(folder, entry)) ? SHEBANG : '';
  await build({
    ...SETTINGS,
    absWorkingDir: folder,
    entryPoints: [entry],
    outfile,
    banner: { js: shebang + REQUIRE },
  });
  if (kind === 'program') await chmod(outfile, 0o755);
}

/** esbuild keeps an entry's own first line; a second one would be a syntax error. */
function hasShebang(file: string): boolean {
  return readFileSync(file, 'utf8').startsWith('#!');
}

/**
 * Builds all that a package ships: its programs, and with `cloud` the Lambda functions.
 *
 * @throws the build's error, which esbuild has then already printed.
 */
export async function buildPackage(name: string): Promise<void> {
  const bundles = BUNDLES[name];
  if (bundles === undefined) throw new Error(`${name} has no bundles`);
  const folder = fileURLToPath(new URL(`../${name}`, import.meta.url));
  await bundlePackage(folder, bundles, async (fresh) => {
    if (name === 'cloud') await bundleLambdas(folder, join(fresh, 'lambda'), await lambdaNames());
  });
}

async function main(name = 'nothing'): Promise<void> {
  if (!Object.hasOwn(BUNDLES, name)) {
    throw new Error(`usage: bundle.ts ${Object.keys(BUNDLES).join('|')}; got ${name}`);
  }
  await buildPackage(name);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main(process.argv[2]);
