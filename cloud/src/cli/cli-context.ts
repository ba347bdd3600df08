import type { Clock } from '@pullwire/shared';

/** What a command may use of the process that runs it. */
export interface CliContext {
  /** Results, for people and programs: stdout. */
  out(text: string): void;
  /** Everything else: stderr. */
  note(text: string): void;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly workingFolder: string;
  readonly clock: Clock;
  /** Takes over the process's signals, for a command that goes on until it is told to stop. */
  signals(): ProcessSignals;
}

export interface ProcessSignals {
  /** Aborted by the first SIGTERM or SIGINT. */
  readonly stop: AbortSignal;
  onSnapshot(callback: () => void): void;
}

/** What commander read of a command's options, by their names in camel case. */
export type CommandOptions = Readonly<Record<string, unknown>>;
