import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { agentProgram } from './build-programs.ts';

const run = promisify(execFile);

/** One JSON line of the agent's log. */
export interface AgentLine {
  readonly msg?: string;
  readonly [field: string]: unknown;
}

/** Makes a device key; resolves with its public half. */
export async function makeDeviceKey(file: string): Promise<string> {
  const { stdout } = await run(process.execPath, [agentProgram, 'keygen', '--out', file]);
  return stdout.trim();
}

/** Has the agent bring its key to the relay at this URL; it writes the rest of the configuration. */
export async function enrolAgent(relay: string, code: string, config: string): Promise<void> {
  const args = ['enroll', '--relay', relay, '--code', code, '--config', config];
  await run(process.execPath, [agentProgram, ...args]);
}

/** A token with which the agent of this configuration would dial. */
export async function handshakeToken(config: string): Promise<string> {
  const { stdout } = await run(process.execPath, [agentProgram, 'token', '--config', config]);
  return stdout.trim();
}

/** The agent as it ships, in a process of its own, read by its log. */
export class AgentProcess {
  readonly lines: AgentLine[] = [];
  /** Resolves with its exit code; null where a signal ended it. */
  readonly ended: Promise<number | null>;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<string, (line: AgentLine) => void>();

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.ended = new Promise((resolve) => child.once('close', resolve));
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null) createInterface(stream).on('line', (text) => this.#read(text));
    }
  }

  /** Resolves when its link is open. Rejects with what it said where it ends before. */
  static async start(configFile: string): Promise<AgentProcess> {
    const child = spawn(process.execPath, [agentProgram, 'run', '--config', configFile], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const agent = new AgentProcess(child);
    process.once('exit', agent.#kill);
    try {
      await agent.says('link open');
      return agent;
    } catch (error) {
      await agent.stop();
      throw error;
    }
  }

  /** The next line with this message. Rejects where the agent ends before. */
  says(msg: string): Promise<AgentLine> {
    return new Promise((resolve, reject) => {
      this.#waiting.set(msg, resolve);
      this.#child.once('close', (code) => {
        const said = this.lines.slice(-15).map((line) => JSON.stringify(line));
        reject(new Error(`the agent ended (${code}) without saying "${msg}":\n${said.join('\n')}`));
      });
    });
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  async stop(): Promise<void> {
    process.off('exit', this.#kill);
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGTERM');
    await once(this.#child, 'close');
  }

  /** Where this process ends without `stop`. */
  readonly #kill = (): void => {
    this.#child.kill('SIGKILL');
  };

  #read(text: string): void {
    const line = readLine(text);
    this.lines.push(line);
    if (line.msg === undefined) return;
    this.#waiting.get(line.msg)?.(line);
    this.#waiting.delete(line.msg);
  }
}

function readLine(text: string): AgentLine {
  try {
    return JSON.parse(text) as AgentLine;
  } catch {
    return { text }; // a line for people
  }
}
