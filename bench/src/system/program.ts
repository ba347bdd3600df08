import { access } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { runCommand } from '../process/command.ts';

export const root = fileURLToPath(new URL('../../../', import.meta.url));

/** The two programs as they ship: one minified file each. */
export const programs = {
  relay: `${root}cloud/dist/pullwire-relay.mjs`,
  agent: `${root}agent/dist/pullwire-agent.mjs`,
} as const;

/** Makes the bundles; turbo does nothing where the sources have not changed. */
export async function buildPrograms(signal: AbortSignal): Promise<void> {
  await runCommand(['npm', 'run', 'build'], { signal, cwd: root });
}

/** @throws Error where a bundle is missing. */
export async function assertBuilt(): Promise<void> {
  for (const file of Object.values(programs)) {
    await access(file).catch(() => {
      throw new Error(`${file} is missing: run \`npm run build\``);
    });
  }
}

/** Runs a command of one of the programs to its end; resolves with its stdout, trimmed. */
export async function runProgram(
  name: keyof typeof programs,
  args: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  const out = await runCommand([process.execPath, programs[name], ...args], { signal });
  return out.trim();
}
