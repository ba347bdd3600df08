import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface CommandOptions {
  readonly signal?: AbortSignal;
  readonly cwd?: string;
}

/**
 * Runs a program without a shell and without input; resolves with its stdout.
 *
 * @throws Error with the end of what it said where it cannot be started, fails or is aborted.
 */
export async function runCommand(
  argv: readonly [string, ...string[]],
  { signal, cwd }: CommandOptions = {},
): Promise<string> {
  const [program, ...args] = argv;
  const child = spawn(program, args, { cwd, signal, stdio: ['ignore', 'pipe', 'pipe'] });
  const out: string[] = [];
  const errors: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => out.push(text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => errors.push(text));
  const [code, killedBy] = (await once(child, 'close')) as [number | null, string | null];
  if (code === 0) return out.join('');
  const said = `${errors.join('')}${out.join('')}`.trim().slice(-2_000);
  throw new Error(`${program} ended with ${code ?? killedBy}: ${said}`);
}
