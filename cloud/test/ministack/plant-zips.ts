import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { zipSync } from 'fflate';

const folder = fileURLToPath(new URL('planted/', import.meta.url));

/** Small functions that show what the host does, each as a zip; resolves with their folder. */
export async function plantZips(names: readonly string[]): Promise<string> {
  const zips = await mkdtemp(join(tmpdir(), 'pullwire-planted-'));
  const { outputFiles } = await build({
    entryPoints: names.map((name) => join(folder, `${name}.ts`)),
    outdir: zips,
    outExtension: { '.js': '.mjs' },
    write: false,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
  });
  for (const { path, contents } of outputFiles) {
    await writeFile(
      path.replace(/\.mjs$/, '.zip'),
      zipSync({ 'index.mjs': contents }, { level: 1 }),
    );
  }
  return zips;
}
