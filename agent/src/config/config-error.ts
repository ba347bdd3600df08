import type { ConfigProblem } from '../source/config-problem.ts';

/** Everything that is wrong with the configuration, a line each: key, what is expected, what stands there. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map(describeProblem).join('\n'));
    this.problems = problems;
  }
}

export function describeProblem({ key, value, expected }: ConfigProblem): string {
  const found = value === undefined ? '' : `; found ${JSON.stringify(value)}`;
  return `${key}: expected ${expected}${found}`;
}
