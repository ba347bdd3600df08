import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';

export interface TerminalOptions {
  readonly cwd?: string;
  readonly env: Readonly<Record<string, string>>;
  /** A command that runs the shell in its own place, such as `ip netns exec`. */
  readonly within: readonly string[];
}

export interface CommandEnd {
  readonly code: number;
  /** On stdout and stderr. */
  readonly output: string;
}

/** A shell that is given one command after the other, as a person would type them. */
export class Terminal {
  /** Everything that it showed. */
  shown = '';
  readonly #child: ChildProcess;
  readonly #mark = `ended-${randomUUID()}`;
  readonly #looks = new Set<() => void>();
  #isGone = false;

  constructor({ cwd, env, within }: TerminalOptions) {
    const [file = 'bash', ...args] = [...within, 'bash', '--norc', '--noprofile'];
    // In a group of its own, so that what it started can be ended with it.
    const child = spawn(file, args, { cwd, env, stdio: 'pipe', detached: true });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.shown += text;
        this.#look();
      });
    }
    child.once('close', () => {
      this.#isGone = true;
      this.#look();
    });
    child.stdin.write('exec 2>&1\n');
  }

  /** Resolves when the command has ended. */
  async run(command: string): Promise<CommandEnd> {
    const found = await this.#type(
      command,
      new RegExp(`(?<output>[\\s\\S]*)${this.#mark} (?<code>\\d+)\\n`),
    );
    return { code: Number(found.groups?.['code']), output: found.groups?.['output'] ?? '' };
  }

  /** Resolves when a command that stays has shown `sign`. Rejects where it ends before. */
  async begin(command: string, sign: RegExp): Promise<void> {
    const ended = new RegExp(`${this.#mark} (\\d+)\\n`);
    const found = await this.#type(command, new RegExp(`${sign.source}|${ended.source}`));
    if (ended.test(found[0])) throw new Error(`${command} ended:\n${found.input}`);
  }

  /** What was shown since, once it matches. */
  async #type(command: string, wanted: RegExp): Promise<RegExpExecArray> {
    const from = this.shown.length;
    this.#child.stdin?.write(`${command}\nprintf '%s %s\\n' ${this.#mark} $?\n`);
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = wanted.exec(this.shown.slice(from));
        if (found === null && !this.#isGone) return;
        this.#looks.delete(look);
        if (found !== null) resolve(found);
        else reject(new Error(`the shell ended in: ${command}\n${this.shown.slice(from)}`));
      };
      this.#looks.add(look);
      look();
    });
  }

  #look(): void {
    for (const look of [...this.#looks]) look();
  }

  /** Closes it, and ends what runs there. */
  async stop(): Promise<void> {
    const { pid } = this.#child;
    if (this.#isGone || pid === undefined) return;
    process.kill(-pid, 'SIGTERM');
    // bash is told by the end of its input as well: it may wait for no command.
    this.#child.stdin?.end();
    await once(this.#child, 'close');
  }
}
