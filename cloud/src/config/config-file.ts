import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { ConfigError } from './config-error.ts';
import type { ConfigSetting } from './config-setting.ts';

type Section = Readonly<Record<string, unknown>>;

/** What a configuration file says, and what in it is no setting. */
export interface FileContent {
  readonly values: Section;
  readonly mistakes: readonly string[];
  /** The setting that is a list of maps, and only in the file: unchecked. */
  readonly issuers?: unknown;
}

/** Reads a YAML or JSON file (JSON is YAML 1.2). Throws `ConfigError` where it cannot be read or parsed. */
export function readConfigFile(path: string, settings: readonly ConfigSetting[]): FileContent {
  const content = parseFile(path) ?? {};
  if (!isSection(content)) throw new ConfigError([`${path}: must hold settings by their names`]);
  const { issuers, ...rest } = content;
  return { ...onlySettings(rest, new Set(settings.map((setting) => setting.key)), ''), issuers };
}

function parseFile(path: string): unknown {
  try {
    return parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const [reason] = (error instanceof Error ? error.message : String(error)).split('\n');
    throw new ConfigError([`${path}: cannot be read: ${reason}`]);
  }
}

function isSection(value: unknown): value is Section {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Drops what convict would stumble over: names that it does not know, sections for values and values for sections. */
function onlySettings(section: Section, keys: ReadonlySet<string>, prefix: string): FileContent {
  const values: Record<string, unknown> = {};
  const mistakes: string[] = [];
  for (const [name, value] of Object.entries(section)) {
    const key = prefix + name;
    const expected = expectedOf(key, keys);
    if (expected === 'a section' && isSection(value)) {
      const inner = onlySettings(value, keys, `${key}.`);
      values[name] = inner.values;
      mistakes.push(...inner.mistakes);
    } else if (expected === 'a value' && !isSection(value)) {
      values[name] = value;
    } else {
      const complaint = expected === undefined ? 'there is no such setting' : `must be ${expected}`;
      mistakes.push(`${key}: ${complaint}: value was ${JSON.stringify(value)}`);
    }
  }
  return { values, mistakes };
}

/** What stands at a key of the file; undefined where nothing does. */
function expectedOf(key: string, keys: ReadonlySet<string>): 'a value' | 'a section' | undefined {
  if (keys.has(key)) return 'a value';
  return [...keys].some((known) => known.startsWith(`${key}.`)) ? 'a section' : undefined;
}
