import { labelLimit } from '@pullwire/shared';
import type { ConfigProblem } from '../source/config-problem.ts';

export type Labels = Readonly<Record<string, string>>;

/** A label goes into `hello` and into grants, as `name=value`. */
const namePattern = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,63}$/;
const valuePattern = /^[^\p{Cc}]{0,256}$/u;

/** Checks `labels:` of the configuration. Reports every mistake at once. */
export function parseLabels(value: unknown): { labels: Labels } | { problems: ConfigProblem[] } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { problems: [{ key: 'labels', value: undefined, expected: 'a map of names and text' }] };
  }
  const entries = Object.entries(value);
  const problems = entries.flatMap(([name, text]) => labelProblems(name, text));
  if (entries.length > labelLimit) {
    problems.push({
      key: 'labels',
      value: entries.length,
      expected: `at most ${labelLimit} labels`,
    });
  }
  return problems.length > 0 ? { problems } : { labels: Object.fromEntries(entries) };
}

function labelProblems(name: string, text: unknown): ConfigProblem[] {
  const key = `labels.${name}`;
  if (!namePattern.test(name)) {
    return [{ key, value: name, expected: 'a name of 1 to 64 of A–Z a–z 0–9 . _ / -' }];
  }
  if (typeof text === 'string' && valuePattern.test(text)) return [];
  const value = typeof text === 'number' || typeof text === 'boolean' ? text : undefined;
  return [{ key, value, expected: 'text of at most 256 characters (in YAML, quote numbers)' }];
}
