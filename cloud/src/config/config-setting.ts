import { configSchema } from './config-schema.ts';

/** One setting, as people read about it. */
export interface ConfigSetting {
  /** Path in the configuration file, joined with dots. */
  readonly key: string;
  readonly env: string;
  /** The option that sets it, where there is one: `--listen <host:port>`. */
  readonly flag: string | undefined;
  /** `null`: not set. */
  readonly default: unknown;
  readonly doc: string;
}

/** All settings of the relay, in the order of the file: for `--help` and for the README. */
export function describeConfig(): ConfigSetting[] {
  return walk(configSchema, '');
}

type SchemaNode = { readonly [key: string]: unknown };

function walk(node: SchemaNode, prefix: string): ConfigSetting[] {
  return Object.entries(node).flatMap(([name, value]) => {
    const child = value as SchemaNode;
    const key = prefix + name;
    return 'default' in child ? [toSetting(key, child)] : walk(child, `${key}.`);
  });
}

function toSetting(key: string, node: SchemaNode): ConfigSetting {
  return {
    key,
    env: String(node['env']),
    flag: node['flag'] as string | undefined,
    default: node['default'],
    doc: String(node['doc']),
  };
}
