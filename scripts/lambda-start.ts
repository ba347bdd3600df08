import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A function's module as Lambda finds it. */
export interface StartedModule {
  readonly name: string;
  readonly file: string;
}

/**
 * Says on the clock that all processes share when the module is ready, and ends. Nothing of it is TypeScript: Node would
 * load what strips types.
 */
const loader = `
await import(process.argv[2]);
process.stdout.write(String(process.hrtime.bigint()), () => process.exit(0));
`;

/**
 * Milliseconds from a process's start until its module is ready, by name, a figure a round. In each round one after the
 * other, so that a machine that slows down slows all; a round before them, which fills the disk's cache, does not count.
 *
 * @throws Error where a module cannot be loaded; with what its process said.
 */
export async function measureStarts(
  modules: readonly StartedModule[],
  folder: string,
  settings: { readonly rounds: number; readonly env: NodeJS.ProcessEnv },
): Promise<Map<string, number[]>> {
  const loaderFile = join(folder, 'loader.mjs');
  await writeFile(loaderFile, loader);
  const times = new Map(modules.map(({ name }): [string, number[]] => [name, []]));
  for (let round = 0; round <= settings.rounds; round += 1) {
    for (const { name, file } of modules) {
      const ms = await startOnce([loaderFile, file], settings.env);
      if (round > 0) times.get(name)?.push(ms);
    }
  }
  return times;
}

async function startOnce(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const start = process.hrtime.bigint();
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      said[name] += text;
    });
  }
  await once(child, 'close');
  if (!/^\d+$/.test(said.stdout)) throw new Error(`${args[1]}: ${said.stderr || said.stdout}`);
  return Number(BigInt(said.stdout) - start) / 1e6;
}

/** Of an odd number the one in the middle, of an even number the lower of the two there. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(values.length / 2) - 1] ?? Number.NaN;
}
