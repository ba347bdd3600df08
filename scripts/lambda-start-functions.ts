import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import { ROOT } from './command.ts';
import { bundleLambdas } from './lambda-bundle.ts';
import { lambdaNames } from './lambda-manifest.ts';
import type { LambdaSize } from './lambda-size.ts';
import { measureStarts, type StartedModule } from './lambda-start.ts';
import { emptyName } from './lambda-start-report.ts';
import { stubEnvironment } from './lambda-stub-environment.ts';

const emptyHandler = 'export const handler = async () => ({ statusCode: 200 });\n';

export interface FunctionStarts {
  /** Milliseconds of each round, by function, an empty handler's among them. */
  readonly times: ReadonlyMap<string, readonly number[]>;
  readonly sizes: readonly LambdaSize[];
}

/**
 * Builds the Lambda functions, and measures how they start on this machine's Node, without a network.
 *
 * `only`: some of them; all unless given.
 */
export async function measureFunctions(
  rounds: number,
  only?: readonly string[],
): Promise<FunctionStarts> {
  const folder = await mkdtemp(join(tmpdir(), 'pullwire-start-'));
  try {
    const sizes = await bundleLambdas(join(ROOT, 'cloud'), folder, await lambdaNames());
    const modules = [await writeModule(folder, emptyName, Buffer.from(emptyHandler))];
    for (const { name } of sizes) {
      if (only?.includes(name) ?? true) modules.push(await unzip(folder, name));
    }
    const env = { ...stubEnvironment, PATH: process.env['PATH'] };
    return { times: await measureStarts(modules, folder, { rounds, env }), sizes };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function unzip(folder: string, name: string): Promise<StartedModule> {
  const files = unzipSync(await readFile(join(folder, `${name}.zip`)));
  return writeModule(folder, name, files['index.mjs'] ?? new Uint8Array());
}

async function writeModule(folder: string, name: string, code: Uint8Array): Promise<StartedModule> {
  const place = join(folder, name);
  await mkdir(place);
  const file = join(place, 'index.mjs');
  await writeFile(file, code);
  return { name, file };
}
