import type * as v from 'valibot';

/** One mistake in the configuration, for the person who has to mend it. */
export interface ConfigProblem {
  /** Where: `sources.metrics.limits.replyBytes`. */
  readonly key: string;
  /** What stands there; undefined where nothing does. Never a secret, and never a whole map. */
  readonly value: string | number | boolean | null | undefined;
  readonly expected: string;
}

/** Keys below which every value may be a secret. */
const secretKeys = new Set(['headers', 'env']);
/** What may be secret in a URL: `//user:password@`, and the query. */
const secretInUrl = /\/\/[^/]*@|(?<=:\/\/.*)\?.*/g;

export function problemOf(prefix: string, issue: v.BaseIssue<unknown>): ConfigProblem {
  const path = issue.path ?? [];
  const keys = path.map((item) => String(item.key));
  const last = path.at(-1);
  const value = last === undefined ? issue.input : last.value;
  // A name that is not allowed is its own value; what stands below it, or under an unknown key, may be secret.
  const isName = issue.type === 'never' || (last?.origin === 'key' && issue.input !== undefined);
  return {
    key: [prefix, ...keys].join('.'),
    value: isName ? keys.at(-1) : show(value, keys),
    expected: issue.message,
  };
}

function show(value: unknown, keys: readonly string[]): ConfigProblem['value'] {
  if (value === undefined || value === null) return value;
  if (keys.some((key) => secretKeys.has(key))) return '(hidden)';
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value !== 'string') return Array.isArray(value) ? '(a list)' : '(a map)';
  const text = value.replaceAll(secretInUrl, '…');
  return text.length <= 200 ? text : `${text.slice(0, 199)}…`;
}
