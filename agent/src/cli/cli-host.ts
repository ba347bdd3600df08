/** The process, as the commands see it; main.ts hands it in. */
export interface CliHost {
  /** Without the program's own name. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly workingFolder: string;
  /** How this process was started: Node, and the program's own file. */
  readonly program: { readonly node: string; readonly script: string };
  /** Undefined where the system has no such thing. */
  readonly uid: number | undefined;
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
  /** The relay has said no, and says it again until somebody acts (sysexits.h, EX_NOPERM). */
  never: 77,
} as const;
