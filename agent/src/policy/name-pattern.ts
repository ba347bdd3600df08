/** Names in which `*` stands for any characters, none included; case counts. Compiled once, matched on every pull. */
export class NamePatterns {
  readonly #patterns: readonly RegExp[];
  readonly text: string;

  constructor(patterns: readonly string[]) {
    this.text = patterns.join(', ');
    this.#patterns = patterns.map((pattern) => {
      const pieces = pattern
        .split(/\*+/)
        .map((piece) => piece.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&'));
      return new RegExp(`^${pieces.join('.*')}$`, 'su');
    });
  }

  matches(name: string): boolean {
    return this.#patterns.some((pattern) => pattern.test(name));
  }
}
