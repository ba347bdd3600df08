import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, truncateSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Workbench } from '../workbench.ts';
import { treeOf } from './process-tree.ts';

const lineWithinMs = 20_000;
const termMs = 10_000;

/** A line of a program's log, where it is JSON. */
export interface LogLine {
  readonly msg?: string;
  readonly [field: string]: unknown;
}

export interface DaemonOptions {
  readonly argv: readonly [string, ...string[]];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A program that stays up while others are measured. What it says goes to a file, as in operation. */
export class Daemon {
  readonly name: string;
  readonly #options: DaemonOptions;
  readonly #logFile: string;
  #child: ChildProcess | undefined;

  constructor(name: string, folder: string, options: DaemonOptions) {
    this.name = name;
    this.#options = options;
    this.#logFile = `${folder}/${name}.log`;
  }

  /** Resolves when the process runs; it is ended by the workbench's cleanup. @throws where it cannot be started. */
  async start({ cleanup }: Workbench): Promise<void> {
    const [program, ...args] = this.#options.argv;
    const log = openSync(this.#logFile, 'a', 0o600);
    const child = spawn(program, args, {
      cwd: this.#options.cwd,
      env: { ...process.env, ...this.#options.env },
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.#child = child;
    cleanup.add(() => this.stop());
    await once(child, 'spawn');
  }

  get pid(): number {
    if (this.#child?.pid === undefined) throw new Error(`${this.name} did not start`);
    return this.#child.pid;
  }

  get #running(): boolean {
    const child = this.#child;
    return child?.pid !== undefined && child.exitCode === null && child.signalCode === null;
  }

  /** @throws Error with the end of its log where it has ended. */
  assertRunning(): void {
    if (this.#running) return;
    const how = this.#child?.exitCode ?? this.#child?.signalCode ?? 'nothing';
    throw new Error(`${this.name} has ended with ${how}:\n${this.logTail()}`);
  }

  /** Resolves with the first log line whose `msg` it is. @throws Error where it ends, or 20 s have passed. */
  async said(msg: string, signal: AbortSignal): Promise<LogLine> {
    const deadline = performance.now() + lineWithinMs;
    for (;;) {
      const line = this.#lines().find((candidate) => candidate.msg === msg);
      if (line !== undefined) return line;
      this.assertRunning();
      if (performance.now() > deadline) {
        throw new Error(`${this.name} did not say "${msg}":\n${this.logTail()}`);
      }
      await delay(25, undefined, { signal });
    }
  }

  logTail(): string {
    return this.#log().trimEnd().split('\n').slice(-15).join('\n');
  }

  /** Empties its log, so that a long run does not fill the disk. It appends, hence goes on at the start. */
  forgetLog(): void {
    truncateSync(this.#logFile);
  }

  /** Ends it by SIGTERM; after 10 s it is killed, with its children. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined || !this.#running) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    const late = new AbortController();
    const inTime = await Promise.race([
      ended.then(() => true),
      delay(termMs, false, { signal: late.signal }),
    ]);
    late.abort();
    if (inTime) return;
    for (const pid of treeOf([this.pid])) kill(pid);
    await ended;
  }

  #lines(): LogLine[] {
    return this.#log().split('\n').map(parseLine);
  }

  #log(): string {
    return readFileSync(this.#logFile, 'utf8');
  }
}

function parseLine(text: string): LogLine {
  try {
    return JSON.parse(text) as LogLine;
  } catch {
    return {}; // a line for people
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it has ended by itself
  }
}
