import type { Clock } from '@pullwire/shared';

/** What sources need of the process; they read neither `process.env` nor a clock of their own. */
export interface SourceDeps {
  readonly clock: Clock;
  /** The agent's environment: for `{env: NAME}`, and `PATH` for commands. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Reads certificates and `{file: PATH}` when a source is opened; throws as `fs.readFileSync` does. */
  readFile(path: string): Buffer;
}
