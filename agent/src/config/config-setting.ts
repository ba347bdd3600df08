import { configSchema, mapSettings } from './config-schema.ts';

/** One setting, as people read about it. */
export interface ConfigSetting {
  /** Path in the configuration file, joined with dots. */
  readonly key: string;
  /** The environment variable and the option that set it; a map has neither. */
  readonly env: string | undefined;
  readonly flag: string | undefined;
  /** `null`: not set. */
  readonly default: unknown;
  readonly doc: string;
}

/** A setting with one value. */
export interface ScalarSetting extends ConfigSetting {
  readonly env: string;
  readonly flag: string;
  readonly format: string;
  readonly nullable: boolean;
  readonly range: readonly [number, number] | undefined;
}

/** All settings of the agent, in the order of the file: for `--help` and for the README. */
export function describeConfig(): readonly ConfigSetting[] {
  const maps = Object.entries(mapSettings).map(([key, setting]) => ({
    key,
    env: undefined,
    flag: undefined,
    ...setting,
  }));
  return [...scalarSettings, ...maps];
}

export const scalarSettings: readonly ScalarSetting[] = walk(configSchema, '');

type Node = Readonly<Record<string, unknown>>;

function walk(node: Node, prefix: string): ScalarSetting[] {
  return Object.entries(node).flatMap(([name, value]) => {
    const child = value as Node;
    const key = prefix + name;
    return 'default' in child ? [toSetting(key, child)] : walk(child, `${key}.`);
  });
}

function toSetting(key: string, node: Node): ScalarSetting {
  return {
    key,
    env: String(node['env']),
    flag: String(node['flag']),
    default: node['default'],
    doc: String(node['doc']),
    format: String(node['format']),
    nullable: node['nullable'] === true,
    range: node['range'] as ScalarSetting['range'],
  };
}
