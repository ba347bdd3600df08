import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { Clock, Timer } from '@pullwire/shared';

export interface ProcessSpec {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string | undefined;
  /** Where false, stderr goes nowhere. */
  readonly wantsStderr: boolean;
}

/** How a process ended: one of the two. */
export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ProcessListener {
  stdout(chunk: Buffer): void;
  stderr(chunk: Buffer): void;
  /** It has exited and all of its output was read, or it could not be started; called once. */
  closed(exit: ProcessExit | NodeJS.ErrnoException): void;
}

/** Between SIGTERM and SIGKILL. */
const killGraceMs = 2_000;

/**
 * A program in a process group of its own, so that it ends with the children it started: when it exits, what is left of
 * the group is killed. Never a shell; stdin is empty.
 */
export class ProcessGroup {
  readonly #clock: Clock;
  #child: ChildProcess | undefined;
  #graceTimer: Timer | undefined;
  #hasExited = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Throws where the arguments cannot be passed at all (longer than the system takes). */
  start(spec: ProcessSpec, listener: ProcessListener): void {
    const [program = '', ...args] = spec.argv;
    const child = spawn(program, args, {
      shell: false,
      detached: true,
      env: { ...spec.env },
      ...(spec.cwd === undefined ? undefined : { cwd: spec.cwd }),
      stdio: ['ignore', 'pipe', spec.wantsStderr ? 'pipe' : 'ignore'],
    });
    this.#child = child;
    child.stdout?.on('data', (chunk: Buffer) => listener.stdout(chunk));
    child.stderr?.on('data', (chunk: Buffer) => listener.stderr(chunk));
    child.once('exit', () => this.#exited());
    child.once('error', (error) => listener.closed(error));
    child.once('close', (code, signal) => {
      if (child.pid !== undefined) listener.closed({ code, signal });
    });
  }

  get stdout(): Readable | null | undefined {
    return this.#child?.stdout;
  }

  /** Asks to end, then makes it end. Its output is not read any more. Calling it again does nothing. */
  stop(): void {
    this.#child?.stdout?.destroy();
    this.#child?.stderr?.destroy();
    if (this.#child?.pid === undefined || this.#hasExited || this.#graceTimer !== undefined) return;
    this.#signal('SIGTERM');
    this.#graceTimer = this.#clock.after(killGraceMs, () => this.#signal('SIGKILL'));
  }

  /** Makes it end now; resolves when it has. */
  kill(): Promise<void> {
    const child = this.#child;
    if (this.#hasExited || child?.pid === undefined) return Promise.resolve();
    const exited = new Promise<void>((resolve) => {
      child.once('exit', () => resolve());
    });
    this.stop();
    this.#signal('SIGKILL');
    return exited;
  }

  #exited(): void {
    this.#hasExited = true;
    this.#graceTimer?.cancel();
    this.#signal('SIGKILL');
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.#child?.pid === undefined) return;
    try {
      process.kill(-this.#child.pid, signal);
    } catch {
      // ESRCH: nothing is left of the group.
    }
  }
}
