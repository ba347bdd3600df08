/** The process, as the commands see it; main.ts hands it in. */
export interface CliHost {
  /** Without the program's own name. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly workingFolder: string;
  writeOut(text: string): void;
  writeError(text: string): void;
  onSignal(signal: AgentSignal, handler: () => void): void;
  /** Ends the process in this turn. */
  exitNow(code: number): void;
}

export type AgentSignal = 'SIGTERM' | 'SIGINT' | 'SIGHUP' | 'SIGUSR2';

export const exitCodes = {
  ok: 0,
  failed: 1,
  /** Of the command line, the configuration, or what it names. */
  usage: 2,
} as const;
