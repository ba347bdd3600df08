import { sourceLimit, sourcePattern } from '@pullwire/shared';
import * as v from 'valibot';
import { type CommandSourceConfig, commandSource } from './command-config.ts';
import { type ConfigProblem, problemOf } from './config-problem.ts';
import { type FileSourceConfig, fileSource } from './file-config.ts';
import { type HttpSourceConfig, httpSource } from './http-config.ts';

export type SourceConfig = HttpSourceConfig | FileSourceConfig | CommandSourceConfig;
export type SourceConfigs = ReadonlyMap<string, SourceConfig>;

const schemas = { http: httpSource, file: fileSource, command: commandSource } as const;

/**
 * Checks `sources:` of the agent's configuration, a map of names to sources, and fills in the defaults. Reports every
 * mistake at once. What `{env}` and `{file}` name is not read here: `openSource` does.
 */
export function parseSources(
  value: unknown,
): { readonly sources: SourceConfigs } | { readonly problems: readonly ConfigProblem[] } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { problems: [{ key: 'sources', value: undefined, expected: 'a map of source names' }] };
  }
  const entries = Object.entries(value);
  const sources = new Map<string, SourceConfig>();
  const problems: ConfigProblem[] = [];
  if (entries.length > sourceLimit) {
    const expected = `at most ${sourceLimit} sources`;
    problems.push({ key: 'sources', value: entries.length, expected });
  }
  for (const [name, entry] of entries) {
    const source = parseSource(name, entry, problems);
    if (source !== undefined) sources.set(name, source);
  }
  return problems.length === 0 ? { sources } : { problems };
}

function parseSource(
  name: string,
  entry: unknown,
  problems: ConfigProblem[],
): SourceConfig | undefined {
  const key = `sources.${name}`;
  if (!sourcePattern.test(name)) {
    const expected = 'a name of at most 64 characters a–z 0–9 . _ - that begins with a–z or 0–9';
    problems.push({ key, value: name, expected });
  }
  const kind: unknown = (entry as { kind?: unknown } | null | undefined)?.kind;
  if (typeof kind !== 'string' || !Object.hasOwn(schemas, kind)) {
    const shown = typeof kind === 'string' ? kind : undefined;
    problems.push({ key: `${key}.kind`, value: shown, expected: 'http, file or command' });
    return undefined;
  }
  const result = v.safeParse(schemas[kind as keyof typeof schemas], entry);
  if (result.success) return result.output;
  problems.push(...result.issues.map((issue) => problemOf(key, issue)));
  return undefined;
}
