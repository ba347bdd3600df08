import { execFile } from 'node:child_process';
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { ServiceError } from './service-error.ts';

/** One thing that `install` or `uninstall` does to the machine. Files are written only over what they wrote before. */
export type ServiceStep =
  | { readonly does: 'write'; readonly path: string; readonly text: string; readonly mark: string }
  | { readonly does: 'run'; readonly command: readonly string[]; readonly mayFail?: true }
  | { readonly does: 'remove'; readonly path: string; readonly mark: string }
  | { readonly does: 'remove-folder'; readonly path: string };

export interface StepPlace {
  /** Below which the machine's files are; '/' for this one. Commands run only there. */
  readonly root: string;
  readonly dryRun: boolean;
  say(line: string): void;
}

const run = promisify(execFile);

/**
 * Does the steps in their order, and says each. Resolves with how many changed something.
 *
 * @throws ServiceError with what failed; the steps before it are done, and doing all again is safe.
 */
export async function takeSteps(steps: readonly ServiceStep[], place: StepPlace): Promise<number> {
  let changes = 0;
  for (const step of steps) if (await takeStep(step, place)) changes += 1;
  return changes;
}

/** @throws ServiceError where a file is there that is not ours: before anything is done. */
export async function checkSteps(steps: readonly ServiceStep[], root: string): Promise<void> {
  for (const step of steps) {
    if (step.does !== 'write') continue;
    const there = await readText(join(root, step.path));
    if (there === undefined || there.startsWith(step.mark)) continue;
    throw new ServiceError(
      `${step.path} is there and was not written by this command; it stays as it is. Remove it, or choose another --name`,
    );
  }
}

function takeStep(step: ServiceStep, place: StepPlace): Promise<boolean> {
  switch (step.does) {
    case 'write':
      return write(step, place);
    case 'run':
      return runCommand(step, place);
    case 'remove':
      return remove(step, place);
    case 'remove-folder':
      return removeFolder(step, place);
  }
}

type Step<Does extends ServiceStep['does']> = Extract<ServiceStep, { does: Does }>;

async function write({ path, text }: Step<'write'>, { root, dryRun, say }: StepPlace) {
  const file = join(root, path);
  if ((await readText(file)) === text) {
    say(`unchanged  ${path}`);
    return false;
  }
  say(`write      ${path}`);
  if (dryRun) return true;
  await forPeople(path, async () => {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
    await chmod(file, 0o644);
  });
  return true;
}

async function runCommand({ command, mayFail }: Step<'run'>, { root, dryRun, say }: StepPlace) {
  const [file = '', ...args] = command;
  if (root !== '/') {
    say(`left       ${command.join(' ')}   (not this machine)`);
    return false;
  }
  say(`run        ${command.join(' ')}`);
  if (dryRun) return true;
  try {
    await run(file, args);
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    const why = (stderr || message).trim();
    if (mayFail !== true)
      throw new ServiceError(`${command.join(' ')} failed: ${why}`, { cause: error });
    say(`           it failed, and that is left as it is: ${why}`);
  }
  return true;
}

async function remove({ path, mark }: Step<'remove'>, { root, dryRun, say }: StepPlace) {
  const file = join(root, path);
  const text = await readText(file);
  if (text === undefined) return false;
  if (!text.startsWith(mark)) {
    say(`kept       ${path}   (it was not written by this command)`);
    return false;
  }
  say(`remove     ${path}`);
  if (!dryRun) await forPeople(path, () => rm(file, { force: true }));
  return true;
}

async function removeFolder({ path }: Step<'remove-folder'>, { root, dryRun, say }: StepPlace) {
  say(`remove     ${path}/`);
  if (!dryRun) await forPeople(path, () => rm(join(root, path), { recursive: true, force: true }));
  return true;
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new ServiceError(`${path} cannot be read (${String(error)})`, { cause: error });
  }
}

async function forPeople(path: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (cause) {
    throw new ServiceError(`${path} cannot be changed (${String(cause)})`, { cause });
  }
}
