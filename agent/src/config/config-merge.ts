import { resolve } from 'node:path';
import convict from 'convict';
import { addConfigFormats, formatName } from './config-format.ts';
import { type ConfigValues, configSchema } from './config-schema.ts';
import { type ScalarSetting, scalarSettings } from './config-setting.ts';

export type MergedConfig = convict.Config<ConfigValues>;

/** Values by the keys of the settings; what is undefined is not set. */
export interface MergeInput {
  readonly file: ReadonlyMap<string, unknown>;
  readonly fileFolder: string;
  /** By variable. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly flags: Readonly<Record<string, string | undefined>>;
  readonly workingFolder: string;
}

/** Flags over environment over file over defaults. convict holds the result; it checks nothing yet. */
export function mergeConfig(input: MergeInput): MergedConfig {
  addConfigFormats();
  const schema = namespaced(configSchema) as convict.Schema<ConfigValues>;
  // It is not convict that reads the environment: where a path comes from says what it is relative to.
  const merged = convict<ConfigValues>(schema, { env: {}, args: [] });
  for (const setting of scalarSettings) {
    const value = pick(setting, input);
    if (value !== undefined) merged.set(setting.key, value);
  }
  return merged;
}

function pick(setting: ScalarSetting, input: MergeInput): unknown {
  const { key, env, format } = setting;
  // An empty variable is one that is not set: compose files and units often leave them so.
  const outside = input.flags[key] ?? (input.env[env] || undefined);
  const value = outside ?? input.file.get(key) ?? setting.default ?? undefined;
  if (format !== 'path' || typeof value !== 'string' || value === '') return value;
  return resolve(outside === undefined ? input.fileFolder : input.workingFolder, value);
}

/** The schema with the names that the formats have at convict. */
function namespaced(node: object): object {
  return Object.fromEntries(
    Object.entries(node).map(([name, value]) => {
      if (name === 'format') return [name, formatName(String(value))];
      const isNode = typeof value === 'object' && value !== null && !Array.isArray(value);
      return [name, isNode ? namespaced(value) : value];
    }),
  );
}
