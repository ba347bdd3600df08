import { readFileSync } from 'node:fs';
import { parseDocument } from 'yaml';
import type { ConfigProblem } from '../source/config-problem.ts';
import { ConfigError } from './config-error.ts';
import { mapSettings } from './config-schema.ts';
import { scalarSettings } from './config-setting.ts';
import { nearest } from './near-miss.ts';

type Section = Readonly<Record<string, unknown>>;

/** What a configuration file says, by the keys of the settings, and what in it is no setting. */
export interface FileContent {
  readonly values: ReadonlyMap<string, unknown>;
  readonly problems: readonly ConfigProblem[];
}

const keys = [...scalarSettings.map(({ key }) => key), ...Object.keys(mapSettings)];
const sections = new Set(keys.filter((key) => key.includes('.')).map((key) => key.split('.')[0]));

/** @throws ConfigError where the file cannot be read, or is neither YAML nor JSON (which is YAML 1.2). */
export function readConfigFile(path: string): FileContent {
  const content = parse(path, readText(path)) ?? {};
  if (!isSection(content)) {
    throw new ConfigError([{ key: path, value: undefined, expected: 'settings by their names' }]);
  }
  const values = new Map<string, unknown>();
  const problems: ConfigProblem[] = [];
  collect(content, '', values, problems);
  return { values, problems };
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const expected = `a configuration file that can be read (${code ?? String(error)})`;
    throw new ConfigError([{ key: path, value: undefined, expected }]);
  }
}

function parse(path: string, text: string): unknown {
  const document = parseDocument(text);
  const problems = document.errors.map((error): ConfigProblem => {
    const { line, col } = error.linePos?.[0] ?? {};
    // The rest of the message quotes the file, which may hold secrets.
    const what = error.code.toLowerCase().replaceAll('_', ' ');
    return {
      key: line === undefined ? path : `${path}:${line}:${col}`,
      value: undefined,
      expected: `YAML or JSON (${what})`,
    };
  });
  if (problems.length > 0) throw new ConfigError(problems);
  try {
    return document.toJS();
  } catch {
    // Aliases that name nothing, or that would grow without end.
    throw new ConfigError([{ key: path, value: undefined, expected: 'no such aliases (&, *)' }]);
  }
}

function collect(
  section: Section,
  prefix: string,
  values: Map<string, unknown>,
  problems: ConfigProblem[],
): void {
  for (const [name, value] of Object.entries(section)) {
    const key = prefix + name;
    if (keys.includes(key)) values.set(key, value);
    else if (!sections.has(key)) problems.push(unknown(key));
    else if (isSection(value)) collect(value, `${key}.`, values, problems);
    else problems.push({ key, value: undefined, expected: 'a map of settings' });
  }
}

function unknown(key: string): ConfigProblem {
  const known = nearest(
    key,
    [...keys, ...sections].filter((name) => name !== undefined),
  );
  const hint = known === undefined ? 'see pullwire-agent --help' : `did you mean "${known}"?`;
  return { key, value: undefined, expected: `no such setting; ${hint}` };
}

function isSection(value: unknown): value is Section {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
