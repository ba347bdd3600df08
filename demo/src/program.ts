import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { BUNDLES, buildPackage } from '../../scripts/bundle.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** The two programs, as they ship. */
export const relayProgram = `${root}cloud/dist/pullwire-relay.mjs`;
export const agentProgram = `${root}agent/dist/pullwire-agent.mjs`;

/** Builds them from what lies in this repository; a second. */
export async function buildPrograms(): Promise<void> {
  for (const name of Object.keys(BUNDLES)) await buildPackage(name);
}

/** Runs a command of one of the programs to its end; resolves with its stdout, rejects with its stderr. */
export async function run(program: string, args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  child.stdout.on('data', (text: Buffer) => {
    out += text.toString();
  });
  child.stderr.on('data', (text: Buffer) => {
    err += text.toString();
  });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${err.trim()}`);
  return out.trim();
}

/** One JSON log line of a program. */
export interface LogLine {
  readonly msg?: string;
  readonly [field: string]: unknown;
}

/** A program that stays up, read by its log. */
export class Daemon {
  readonly name: string;
  readonly #program: string;
  readonly #args: readonly string[];
  readonly #tail: string[] = [];
  readonly #waiting = new Map<string, (line: LogLine) => void>();
  #child: ChildProcess | undefined;
  #stopping = false;

  constructor(name: string, program: string, args: readonly string[]) {
    this.name = name;
    this.#program = program;
    this.#args = args;
  }

  /** Resolves with the log line that says `message`; rejects where the program ends before. */
  start(message: string): Promise<LogLine> {
    const child = spawn(process.execPath, [this.#program, ...this.#args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    createInterface(child.stdout).on('line', (text) => this.#read(text));
    createInterface(child.stderr).on('line', (text) => this.#read(text));
    return new Promise((resolve, reject) => {
      this.#waiting.set(message, resolve);
      child.once('exit', (code) => {
        const said = this.#tail.join('\n');
        reject(new Error(`${this.name} ended with ${code}:\n${said}`));
      });
    });
  }

  /** Told where the program ends without being asked to. */
  onUnexpectedExit(told: (said: string) => void): void {
    this.#child?.once('exit', (code) => {
      if (!this.#stopping) told(`${this.name} ended with ${code}:\n${this.#tail.join('\n')}`);
    });
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  }

  #read(text: string): void {
    this.#tail.push(text);
    if (this.#tail.length > 20) this.#tail.shift();
    const line = parseLine(text);
    if (line.msg === undefined) return;
    this.#waiting.get(line.msg)?.(line);
    this.#waiting.delete(line.msg);
  }
}

function parseLine(text: string): LogLine {
  try {
    return JSON.parse(text) as LogLine;
  } catch {
    return {}; // a line for people, such as a warning of Node's
  }
}
