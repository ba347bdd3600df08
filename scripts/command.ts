import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The repository's root folder. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** How a command ended. A signal counts as code 1; `output` is empty where it went to the terminal. */
export interface CommandResult {
  code: number;
  output: string;
}

export interface CommandOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** `show`: the command writes to our terminal. `collect`: both streams come back as text. */
  output: 'show' | 'collect';
}

/** Runs a program without a shell and without input, and waits for its end. */
export async function runCommand(
  argv: readonly [string, ...string[]],
  { cwd = ROOT, env = process.env, output }: CommandOptions,
): Promise<CommandResult> {
  const [program, ...args] = argv;
  const sink = output === 'show' ? 'inherit' : 'pipe';
  const child = spawn(program, args, { cwd, env, stdio: ['ignore', sink, sink] });
  const text: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (part: string) => text.push(part));
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code: code ?? 1, output: text.join('') }));
  });
}
