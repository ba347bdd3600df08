/** Everything that is wrong with the configuration, a line each: key, what is expected, and the value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly mistakes: readonly string[];

  constructor(mistakes: readonly string[]) {
    const head =
      mistakes.length === 1 ? '' : `the configuration has ${mistakes.length} mistakes:\n`;
    super(head + mistakes.join('\n'));
    this.mistakes = mistakes;
  }
}
