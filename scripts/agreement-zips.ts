import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import type { RelayManifest } from './agreement-manifest.ts';
import { runCommand } from './command.ts';
import { stubEnvironment } from './lambda-stub-environment.ts';

/** What a zip says about its function. */
export interface ZipFacts {
  readonly files: readonly string[];
  /** Why it does not load with what Terraform gives it; undefined where it does. */
  readonly trouble: string | undefined;
  /** The variables of ours that it looks at while it loads. */
  readonly asks: readonly string[];
  /** The names that it exports. */
  readonly exports: readonly string[];
}

/** The zips of a folder, each loaded in a process of its own with the variables that the manifest names. */
export async function readZips(
  folder: string,
  { functions }: RelayManifest,
): Promise<Record<string, ZipFacts>> {
  const names = (await readdir(folder))
    .filter((file) => file.endsWith('.zip'))
    .map((file) => file.slice(0, -'.zip'.length));
  const facts = names.map(async (name) => {
    const given = functions[name]?.environment ?? [];
    return [name, await readZip(join(folder, `${name}.zip`), given)] as const;
  });
  return Object.fromEntries(await Promise.all(facts));
}

/** Loads what lies beside it, and says in one line which variables were looked at and what is exported. */
const probe = `
  const asks = new Set();
  process.env = new Proxy(process.env, {
    get: (real, name) => {
      if (String(name).startsWith('PULLWIRE_')) asks.add(name);
      return real[name];
    },
  });
  const exports = Object.keys(await import('./index.mjs'));
  process.stdout.write(JSON.stringify({ asks: [...asks].sort(), exports }), () => process.exit());
`;

async function readZip(path: string, given: readonly string[]): Promise<ZipFacts> {
  const files = unzipSync(await readFile(path));
  const place = await mkdtemp(join(tmpdir(), 'pullwire-zip-'));
  try {
    for (const [name, bytes] of Object.entries(files)) await writeFile(join(place, name), bytes);
    const argv = ['node', '--input-type=module', '-e', probe] as const;
    const { code, output } = await runCommand(argv, {
      cwd: place,
      env: envOf(given),
      output: 'collect',
    });
    const loaded =
      code === 0
        ? (JSON.parse(output) as Pick<ZipFacts, 'asks' | 'exports'>)
        : { asks: [], exports: [] };
    return {
      files: Object.keys(files),
      trouble: code === 0 ? undefined : errorLine(output),
      ...loaded,
    };
  } finally {
    await rm(place, { recursive: true });
  }
}

/** Lambda's own variables, and of ours those that are given. */
function envOf(given: readonly string[]): NodeJS.ProcessEnv {
  const entries = Object.entries(stubEnvironment);
  const env = entries.filter(([name]) => !name.startsWith('PULLWIRE_') || given.includes(name));
  return { PATH: process.env['PATH'], ...Object.fromEntries(env) };
}

/** The error itself: around it stands the line that it came from, which is the whole bundle. */
function errorLine(output: string): string {
  const lines = output.split('\n').filter((line) => line.length < 400);
  const at = lines.findIndex((line) => /^\w*Error\b/.test(line));
  return lines.slice(Math.max(0, at), Math.max(0, at) + 2).join(' ');
}
