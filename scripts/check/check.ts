import { runCommand } from '../command.ts';

/** One thing that holds for the whole repository. */
export interface Check {
  name: string;
  /** What to do when it fails: one sentence. */
  advice: string;
  /** Why it cannot be made on this machine. Under CI=true that is a failure, elsewhere the check is skipped. */
  missing?(): string | undefined;
  /** Returns what is wrong, as text for a person; an empty text is a pass. */
  run(): Promise<string>;
}

/** A check that is a command: it passes when the command exits with 0. */
export function commandCheck(
  name: string,
  argv: readonly [string, ...string[]],
  advice: string,
): Check {
  return {
    name,
    advice,
    async run() {
      const { code, output } = await runCommand(argv, { output: 'collect' });
      return code === 0 ? '' : output || `${argv[0]} exited with ${code}`;
    },
  };
}
