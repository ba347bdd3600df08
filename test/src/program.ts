import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** The two programs, as they ship, which `bundle-setup.ts` builds before the first test, and those of the tests. */
export const programs = {
  relay: `${root}cloud/dist/pullwire-relay.mjs`,
  agent: `${root}agent/dist/pullwire-agent.mjs`,
  soakAgents: `${root}test/src/soak-agents.ts`,
  soakCaller: `${root}test/src/soak-caller.ts`,
  container: `${root}test/src/container/run-container.ts`,
} as const;

export type ProgramName = keyof typeof programs;

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command of one of the programs to its end. `within`: a command that runs it in its own place, such as `setpriv`. */
export async function command(
  name: ProgramName,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  within: readonly string[] = [],
): Promise<CommandResult> {
  const [file = process.execPath, ...before] = [...within, process.execPath];
  const child = spawn(file, [...before, programs[name], ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (text: Buffer) => {
    stdout += text.toString();
  });
  child.stderr.on('data', (text: Buffer) => {
    stderr += text.toString();
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

/** One line of a program's log; `text` is the line as it came. */
export interface LogLine {
  readonly text: string;
  readonly msg?: string;
  readonly [field: string]: unknown;
}

interface Waiter {
  readonly matches: (line: LogLine) => boolean;
  readonly resolve: (line: LogLine) => void;
}

/** A real process of one of the programs, read by its log. */
export class Program {
  readonly name: ProgramName;
  /** Everything it said, on stdout and stderr. */
  readonly lines: LogLine[] = [];
  /** Resolves with its exit code or signal. */
  readonly ended: Promise<number | string>;
  readonly #child: ChildProcess;
  readonly #waiters = new Set<Waiter>();

  /** `within`: a command that runs it in its own place, such as `ip netns exec`. */
  constructor(
    name: ProgramName,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
    within: readonly string[] = [],
  ) {
    this.name = name;
    const [file = process.execPath, ...before] = [...within, process.execPath];
    const child = spawn(file, [...before, programs[name], ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    this.#child = child;
    createInterface({ input: child.stdout }).on('line', (text) => this.#read(text));
    createInterface({ input: child.stderr }).on('line', (text) => this.#read(text));
    this.ended = new Promise((resolve) => {
      child.once('close', (code, signal) => resolve(code ?? signal ?? 'unknown'));
    });
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error(`${this.name} did not start`);
    return this.#child.pid;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Resolves with the next line (from `from` on) that matches; rejects where the program ends before. */
  async line(
    wanted: string | ((line: LogLine) => boolean),
    from = this.lines.length,
  ): Promise<LogLine> {
    const matches = typeof wanted === 'string' ? (line: LogLine) => line.msg === wanted : wanted;
    const seen = this.lines.slice(from).find(matches);
    if (seen !== undefined) return seen;
    const said = new Promise<LogLine>((resolve) => {
      this.#waiters.add({ matches, resolve });
    });
    const gone = this.ended.then((how) => {
      const tail = this.lines.slice(-15).map((line) => line.text);
      throw new Error(`${this.name} ended (${how}) without saying ${wanted}:\n${tail.join('\n')}`);
    });
    return Promise.race([said, gone]);
  }

  /** The counts that it logs when asked by SIGUSR2. */
  async snapshot(): Promise<LogLine> {
    const line = this.line('snapshot');
    this.signal('SIGUSR2');
    return line;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Ends it as an operator would; resolves with its exit code. */
  async stop(): Promise<number | string> {
    if (this.running) this.signal('SIGTERM');
    return this.ended;
  }

  async kill(): Promise<void> {
    if (this.running) this.signal('SIGKILL');
    await this.ended;
  }

  /** Resident memory in bytes, from the kernel's own accounting. */
  get residentBytes(): number {
    return memoryOf(this.pid, 'VmRSS');
  }

  /** The most it ever was. */
  get peakResidentBytes(): number {
    return memoryOf(this.pid, 'VmHWM');
  }

  #read(text: string): void {
    const line = parseLine(text);
    this.lines.push(line);
    for (const waiter of this.#waiters) {
      if (!waiter.matches(line)) continue;
      this.#waiters.delete(waiter);
      waiter.resolve(line);
    }
  }
}

function parseLine(text: string): LogLine {
  try {
    return { ...(JSON.parse(text) as object), text };
  } catch {
    return { text }; // a line for people, such as a usage error
  }
}

function memoryOf(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const match = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status);
  return Number(match?.[1]) * 1_024;
}
