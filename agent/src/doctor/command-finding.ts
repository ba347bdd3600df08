import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, resolve } from 'node:path';
import type { CommandSourceConfig } from '../source/command-config.ts';
import { commandEnvironment } from '../source/command-environment.ts';
import { openSource } from '../source/open-source.ts';
import { readSecretText } from '../source/secret-text.ts';
import type { SourceDeps } from '../source/source-deps.ts';
import type { Finding } from './check.ts';

/**
 * Looks for the program as a run of it would (execvp(3)), and does not run it.
 *
 * @throws SourceOpenError
 */
export async function commandFinding(
  name: string,
  config: CommandSourceConfig,
  deps: SourceDeps,
): Promise<Omit<Finding, 'target'>> {
  await openSource(name, config, deps).close();
  const { cwd } = config;
  if (cwd !== undefined && !(await isFolder(cwd))) {
    const details = `its working folder ${cwd} is not there`;
    return {
      state: 'failed',
      details,
      advice: 'correct the cwd of this source, or make the folder',
    };
  }
  const program = config.argv[0] ?? '';
  const { PATH } = commandEnvironment(ownVariables(config, deps), deps);
  const candidates = program.includes('/')
    ? [resolve(cwd ?? '.', program)]
    : PATH.split(delimiter).map((folder) => resolve(cwd ?? '.', folder, program));
  return await located(program, candidates, PATH);
}

function ownVariables({ env }: CommandSourceConfig, deps: SourceDeps): Record<string, string> {
  const pairs = Object.entries(env).map(([name, text]) => [name, readSecretText(text, deps)]);
  return Object.fromEntries(pairs);
}

async function located(
  program: string,
  candidates: readonly string[],
  path: string,
): Promise<Omit<Finding, 'target'>> {
  let refused: string | undefined;
  for (const file of candidates) {
    const code = await whyNotExecutable(file);
    if (code === undefined) return { state: 'ok', details: `found at ${file}; it was not run` };
    if (code !== 'ENOENT' && code !== 'ENOTDIR') refused ??= `${file} cannot be run (${code})`;
  }
  if (refused !== undefined) {
    return {
      state: 'failed',
      details: refused,
      advice: 'make it executable for the agent’s user: chmod, or see namei -l',
    };
  }
  const where = program.includes('/') ? '' : ` in PATH (${path})`;
  const advice = 'install the program, or name it in argv with its whole path';
  return { state: 'failed', details: `there is no ${program}${where}`, advice };
}

async function whyNotExecutable(file: string): Promise<string | undefined> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile() ? undefined : 'EISDIR';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
