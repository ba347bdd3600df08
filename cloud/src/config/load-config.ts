import { resolve } from 'node:path';
import { type ListenAddress, parseListenAddress } from '@pullwire/shared/listen-address';
import convict from 'convict';
import { ConfigError } from './config-error.ts';
import { type FileContent, readConfigFile } from './config-file.ts';
import { addConfigFormats } from './config-format.ts';
import { brokenRules } from './config-rule.ts';
import { type ConfigValues, configSchema } from './config-schema.ts';
import { type ConfigSetting, describeConfig } from './config-setting.ts';
import { type IssuerConfig, parseIssuers } from './issuer-config.ts';
import type { LogLevel, RelayConfig } from './relay-config.ts';

/** Where settings come from; each wins over those before it: defaults, file, environment, flags. */
export interface ConfigSources {
  /** Path of the file; else `PULLWIRE_RELAY_CONFIG` of the environment; else none. */
  readonly file: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** By the settings' keys; undefined ones are not set. */
  readonly flags: Readonly<Record<string, string | boolean | undefined>>;
  /** Paths are relative to it. */
  readonly workingFolder: string;
}

const envPrefix = 'PULLWIRE_RELAY_';
const fileVariable = 'PULLWIRE_RELAY_CONFIG';

/** Reads and checks the whole configuration. Throws `ConfigError` with every mistake at once. */
export function loadConfig(sources: ConfigSources): RelayConfig {
  const settings = describeConfig();
  const file = sources.file ?? sources.env[fileVariable];
  const content: FileContent = file
    ? readConfigFile(resolve(sources.workingFolder, file), settings)
    : { values: {}, mistakes: [] };
  const loaded = merge(sources, content);
  const issuers = parseIssuers(content.issuers);
  const mistakes = [
    ...content.mistakes,
    ...('mistakes' in issuers ? issuers.mistakes : []),
    ...unknownVariables(sources.env, settings),
    ...invalidValues(loaded),
  ];
  const values = loaded.getProperties();
  if (mistakes.length === 0) mistakes.push(...brokenRules(values));
  if (mistakes.length > 0 || 'mistakes' in issuers) throw new ConfigError(mistakes);
  return toConfig(values, issuers.issuers, sources.workingFolder);
}

function merge({ env, flags }: ConfigSources, content: FileContent): convict.Config<ConfigValues> {
  addConfigFormats();
  // An empty variable is one that is not set: compose files and units often leave them so.
  const set = Object.entries(env).filter(([, value]) => value !== undefined && value !== '');
  const loaded = convict<ConfigValues>(configSchema as convict.Schema<ConfigValues>, {
    env: Object.fromEntries(set) as Record<string, string>,
    args: [],
  });
  loaded.load(content.values);
  for (const [key, value] of Object.entries(flags)) {
    if (value !== undefined) loaded.set(key, value);
  }
  // Where nothing else is said, the region is the one that every AWS tool takes.
  if (loaded.get('table.region') === null) {
    loaded.set('table.region', env['AWS_REGION'] || env['AWS_DEFAULT_REGION'] || null);
  }
  return loaded;
}

function unknownVariables(env: ConfigSources['env'], settings: readonly ConfigSetting[]): string[] {
  const known = new Set([fileVariable, ...settings.map((setting) => setting.env)]);
  return Object.keys(env)
    .filter((name) => name.startsWith(envPrefix) && !known.has(name))
    .map((name) => `${name}: there is no such variable`);
}

/** convict checks every value and throws one error, a line a mistake. */
function invalidValues(loaded: convict.Config<ConfigValues>): string[] {
  try {
    loaded.validate({ allowed: 'strict' });
    return [];
  } catch (error) {
    return error instanceof Error ? error.message.split('\n') : [String(error)];
  }
}

function toConfig(
  values: ConfigValues,
  issuers: readonly IssuerConfig[],
  workingFolder: string,
): RelayConfig {
  const { tls, table } = values;
  return deepFreeze({
    listen: parseListenAddress(values.listen) as ListenAddress, // its format is checked
    metrics: values.metrics.listen === null ? undefined : parseListenAddress(values.metrics.listen),
    dataFolder: resolve(workingFolder, values.dataFolder),
    publicUrl: values.publicUrl ?? undefined,
    tls:
      tls.cert === null || tls.key === null
        ? undefined
        : { cert: resolve(workingFolder, tls.cert), key: resolve(workingFolder, tls.key) },
    trustedProxy: values.trustedProxy,
    insecure: values.insecure,
    table:
      table.name === null || table.region === null
        ? undefined
        : { name: table.name, region: table.region, endpoint: table.endpoint ?? undefined },
    connectionsUrl: values.connectionsUrl ?? undefined,
    limits: values.limits,
    issuers,
    heartbeat: values.heartbeat,
    deadline: values.deadline,
    queue: values.queue,
    readings: values.readings,
    linkLifeMs: values.linkLifeMs,
    idleMs: values.idleMs,
    drainMs: values.drainMs,
    takeOverMs: values.takeOverMs,
    logLevel: values.logLevel as LogLevel,
  });
}

function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) {
    if (typeof inner === 'object' && inner !== null) deepFreeze(inner);
  }
  return Object.freeze(value);
}
