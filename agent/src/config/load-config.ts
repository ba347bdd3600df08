import { dirname, resolve } from 'node:path';
import type { Subprotocol } from '@pullwire/shared';
import { parseListenAddress } from '@pullwire/shared/listen-address';
import { readEnrolmentRecord } from '../identity/enrolment-record.ts';
import { audienceOf } from '../identity/handshake-token.ts';
import { parseSchedules, type ScheduleConfigs } from '../schedule/schedule-config.ts';
import type { ConfigProblem } from '../source/config-problem.ts';
import { parseSources, type SourceConfigs } from '../source/source-config.ts';
import type { AgentConfig } from './agent-config.ts';
import { readAuthorities } from './authorities.ts';
import { ConfigError } from './config-error.ts';
import { readConfigFile } from './config-file.ts';
import { whatIsWrong } from './config-format.ts';
import { type MergedConfig, mergeConfig } from './config-merge.ts';
import { brokenRules } from './config-rule.ts';
import type { ConfigValues } from './config-schema.ts';
import { scalarSettings } from './config-setting.ts';
import { type Labels, parseLabels } from './label.ts';

/** Where settings come from; each wins over those before it: defaults, file, environment, flags. */
export interface ConfigOrigins {
  /** Path of the file; else `PULLWIRE_AGENT_CONFIG` of the environment. */
  readonly file: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Text by the settings' keys; what is undefined is not set. */
  readonly flags: Readonly<Record<string, string | undefined>>;
  /** Paths in flags and the environment are relative to it; those in the file to the file's folder. */
  readonly workingFolder: string;
}

const envPrefix = 'PULLWIRE_AGENT_';
const fileVariable = 'PULLWIRE_AGENT_CONFIG';

/**
 * Reads and checks the whole configuration.
 *
 * @throws ConfigError with every mistake at once.
 */
export function loadConfig(origins: ConfigOrigins): AgentConfig {
  const path = configFile(origins);
  const file = readConfigFile(path);
  const merged = mergeConfig({ ...origins, file: file.values, fileFolder: dirname(path) });
  const contradiction = takeEnrolled(merged);
  const maps = readMaps(file.values);
  const ca = readAuthorities(merged.get('ca'));
  const problems = [
    ...file.problems,
    ...contradiction,
    ...unknownVariables(origins.env),
    ...wrongValues(merged),
  ];
  for (const part of [maps, ca]) if ('problems' in part) problems.push(...part.problems);
  if (problems.length > 0 || !('labels' in maps && 'pem' in ca)) throw new ConfigError(problems);
  const values = merged.validate({ allowed: 'strict' }).getProperties();
  return checked(toConfig(values, maps, ca.pem));
}

/** What only the file can say. */
interface FileMaps {
  readonly labels: Labels;
  readonly sources: SourceConfigs;
  readonly schedules: ScheduleConfigs;
}

function readMaps(
  values: ReadonlyMap<string, unknown>,
): FileMaps | { readonly problems: readonly ConfigProblem[] } {
  const labels = parseLabels(values.get('labels') ?? {});
  const sources = parseSources(values.get('sources') ?? {});
  const schedules = parseSchedules(values.get('schedules') ?? {});
  if ('labels' in labels && 'sources' in sources && 'schedules' in schedules) {
    return { ...labels, ...sources, ...schedules };
  }
  const parts = [labels, sources, schedules];
  return { problems: parts.flatMap((part) => ('problems' in part ? part.problems : [])) };
}

/** What enrolling at the first start needs to know. */
export interface EnrolSettings {
  readonly keyFile: string;
  readonly relay: string | undefined;
  readonly enrollUrl: string | undefined;
  readonly device: string | undefined;
  /** PEM. */
  readonly ca: string | undefined;
  readonly insecure: boolean;
  readonly redial: AgentConfig['redial'];
  readonly logLevel: AgentConfig['log']['level'];
}

/**
 * The part of the configuration that is there before the device is enrolled.
 *
 * @throws ConfigError where that part is wrong; the rest is checked when it is used.
 */
export function loadEnrolSettings(origins: ConfigOrigins): EnrolSettings {
  const path = configFile(origins);
  const file = readConfigFile(path);
  const merged = mergeConfig({ ...origins, file: file.values, fileFolder: dirname(path) });
  const isOpen = (key: string): boolean =>
    (key === 'device' || key === 'relay') && merged.get(key) === null;
  const ca = readAuthorities(merged.get('ca'));
  const problems = wrongValues(merged).filter(({ key }) => !isOpen(key));
  if ('problems' in ca) problems.push(...ca.problems);
  if (problems.length > 0 || !('pem' in ca)) throw new ConfigError(problems);
  return {
    keyFile: merged.get('keyFile'),
    relay: merged.get('relay') ?? undefined,
    enrollUrl: merged.get('enrollUrl') ?? undefined,
    device: merged.get('device') ?? undefined,
    ca: ca.pem,
    insecure: merged.get('insecure'),
    redial: merged.get('redial'),
    logLevel: merged.get('log.level'),
  };
}

/** An enrolled device knows who it is and where it dials; what the configuration says besides must agree. */
function takeEnrolled(merged: MergedConfig): ConfigProblem[] {
  const keyFile: unknown = merged.get('keyFile');
  const record = typeof keyFile === 'string' ? readEnrolmentRecord(keyFile) : undefined;
  if (record === undefined) return [];
  if (merged.get('relay') === null) merged.set('relay', record.relay);
  const device: unknown = merged.get('device');
  if (device === null) merged.set('device', record.device);
  if (device === null || device === record.device) return [];
  const expected = `${record.device}, as which the key in ${String(keyFile)} was enrolled`;
  return [{ key: 'device', value: String(device), expected }];
}

/** @throws ConfigError where none is named. */
function configFile({ file, env, workingFolder }: ConfigOrigins): string {
  const named = file ?? env[fileVariable];
  if (named) return resolve(workingFolder, named);
  const expected = `a file, named by --config FILE or ${fileVariable}`;
  throw new ConfigError([{ key: 'configuration', value: undefined, expected }]);
}

function unknownVariables(env: ConfigOrigins['env']): ConfigProblem[] {
  const known = new Set([fileVariable, ...scalarSettings.map((setting) => setting.env)]);
  return Object.keys(env)
    .filter((name) => name.startsWith(envPrefix) && !known.has(name))
    .map((key) => ({ key, value: undefined, expected: 'no such variable; see --help' }));
}

function wrongValues(merged: MergedConfig): ConfigProblem[] {
  return scalarSettings.flatMap((setting): ConfigProblem[] => {
    const value: unknown = merged.get(setting.key as keyof ConfigValues);
    const expected = whatIsWrong(setting, value);
    if (expected === undefined) return [];
    const more = setting.key === 'relay' && value === null ? orEnrolled : '';
    return [{ key: setting.key, value: show(value), expected: expected + more }];
  });
}

/** Whoever runs the agent before it is enrolled need not set anything by hand. */
const orEnrolled =
  ', or a device that is enrolled: pullwire-agent enroll --relay URL --code CODE (its operator makes one: pullwire-relay enroll-code)';

/** A URL may hold a password; a map or a list says nothing in a line. */
function show(value: unknown): ConfigProblem['value'] {
  if (typeof value === 'string') return value.replace(/\/\/[^/]*@/, '//…@').slice(0, 200);
  return typeof value === 'number' || typeof value === 'boolean' ? value : undefined;
}

function toConfig(values: ConfigValues, maps: FileMaps, ca: string | undefined): AgentConfig {
  const { encodings, health, ...rest } = values;
  return {
    ...rest,
    controlSocket: values.controlSocket ?? `${values.keyFile}.${values.instance}.sock`,
    health: {
      listen: health.listen === null ? null : (parseListenAddress(health.listen) ?? null),
      insecure: health.insecure,
    },
    audience: values.audience ?? audienceOf(values.relay),
    ca,
    subprotocols: encodings.map((encoding): Subprotocol => `pullwire.v1+${encoding}`),
    ...maps,
  };
}

function checked(config: AgentConfig): AgentConfig {
  const problems = brokenRules(config);
  if (problems.length > 0) throw new ConfigError(problems);
  return deepFreeze(config);
}

function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) {
    if (typeof inner === 'object' && inner !== null) deepFreeze(inner);
  }
  return Object.freeze(value);
}
