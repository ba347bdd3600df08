import { fillIn, type QuickStartPart } from './quick-start.ts';
import type { CommandEnd, Terminal } from './terminal.ts';

/** What a command that stays shows once it has begun. */
const stays: readonly (readonly [command: RegExp, sign: RegExp])[] = [
  [/ relay -- serve\b/, /"msg":"listening"/],
  [/ agent -- run\b/, /"msg":"link open"/],
];

/** Somebody who types what the quick start says, puts what was printed in place of `…`, and never reads ahead. */
export class Newcomer {
  readonly #open: () => Terminal;
  #last = '';
  readonly terminals: Terminal[] = [];
  /** Keys that were pressed, line ends among them. */
  typed = 0;

  /** `open`: another terminal. */
  constructor(open: () => Terminal) {
    this.#open = open;
  }

  openTerminal(): Terminal {
    const terminal = this.#open();
    this.terminals.push(terminal);
    return terminal;
  }

  /** Goes through a part in a terminal of its own. Resolves with what each command showed that came to an end. */
  async follow(part: QuickStartPart): Promise<string[]> {
    const terminal = this.openTerminal();
    const outputs: string[] = [];
    for (const command of part) {
      const output = await this.typeToEnd(terminal, command);
      if (output !== undefined) outputs.push(output);
    }
    return outputs;
  }

  /**
   * Resolves with what the command showed; undefined where it stays.
   *
   * @throws Error where it ends with another code than 0, or ends and should stay.
   */
  async typeToEnd(terminal: Terminal, command: string): Promise<string | undefined> {
    const end = await this.type(terminal, command);
    if (end === undefined) return undefined;
    if (end.code !== 0) throw new Error(`${command} ended with ${end.code}:\n${end.output}`);
    return end.output;
  }

  /** Resolves with undefined where the command stays. */
  async type(terminal: Terminal, command: string): Promise<CommandEnd | undefined> {
    const typed = fillIn(command, this.#shown);
    // Nobody types a remark, and what is on the screen is copied.
    this.typed += command.replace(/ +# .*$/, '').replace(/pw[ek]_…/, '').length + 1;
    this.#last = typed;
    const sign = stays.find(([pattern]) => pattern.test(command))?.[1];
    if (sign === undefined) return terminal.run(typed);
    await terminal.begin(typed, sign);
    return undefined;
  }

  /** The last command once more, in the terminal that was opened last; resolves with what it shows. */
  async again(): Promise<string> {
    const terminal = this.terminals.at(-1);
    if (terminal === undefined) throw new Error('there is no terminal');
    return (await terminal.run(this.#last)).output;
  }

  get #shown(): string {
    return this.terminals.map(({ shown }) => shown).join('\n');
  }

  async stop(): Promise<void> {
    for (const terminal of this.terminals.toReversed()) await terminal.stop();
  }
}
