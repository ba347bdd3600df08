import { ConfigError } from '../config/config-error.ts';
import { leastQuotaBytes, mostQuotaBytes } from '../reading/reading-limit.ts';
import {
  bucketName,
  type EnvironmentFormat,
  jsonList,
  logLevel,
  parameterName,
  tableName,
  trueOrFalse,
  urlOf,
  wholeNumber,
} from './environment-format.ts';

/** The process's environment, or what stands for it. */
export type Variables = Readonly<Record<string, string | undefined>>;

const deadlineMs = wholeNumber(1, 900_000);
const queueMs = wholeNumber(1_000, 2_592_000_000);
const queuedPulls = wholeNumber(1, 1_000);

/** Each variable: the name that it has in code, and how it is read. */
const variables = {
  PULLWIRE_BUCKET: ['bucket', bucketName],
  /** Where the gateway's `@connections` are, with its stage. */
  PULLWIRE_CONNECTIONS_URL: ['connectionsUrl', urlOf('https://', 'http://')],
  PULLWIRE_DEADLINE_DEFAULT_MS: ['deadlineDefaultMs', deadlineMs],
  PULLWIRE_DEADLINE_MAX_MS: ['deadlineMaxMs', deadlineMs],
  /** Whose tokens are accepted: JSON, a list of what the one-box server has in `issuers`. */
  PULLWIRE_ISSUERS: ['issuers', jsonList],
  /** As agents dial it: the audience of their tokens. */
  PULLWIRE_LINK_URL: ['linkUrl', urlOf('wss://', 'ws://')],
  PULLWIRE_LOG_LEVEL: ['logLevel', logLevel],
  /** Of queued pulls. */
  PULLWIRE_QUEUE_DEFAULT_MS: ['queueDefaultMs', queueMs],
  PULLWIRE_QUEUE_KEEP_MS: ['queueKeepMs', queueMs],
  PULLWIRE_QUEUE_MAX_MS: ['queueMaxMs', queueMs],
  PULLWIRE_QUEUE_PER_CALLER: ['queuePerCaller', queuedPulls],
  PULLWIRE_QUEUE_PER_DEVICE: ['queuePerDevice', queuedPulls],
  /** Of readings that one device may have stored. */
  PULLWIRE_READINGS_BYTES_PER_DAY: ['bytesPerDay', wholeNumber(leastQuotaBytes, mostQuotaBytes)],
  /** For how long readings are kept. */
  PULLWIRE_RETENTION_DAYS: ['retentionDays', wholeNumber(1, 3_650)],
  /** The name of an SSM parameter, not the secret. */
  PULLWIRE_SECRET: ['secretName', parameterName],
  PULLWIRE_TABLE: ['table', tableName],
  PULLWIRE_TOKEN_IN_QUERY: ['tokenInQuery', trueOrFalse],
} as const satisfies Record<string, readonly [string, EnvironmentFormat<unknown>]>;

/** What each function reads: the lists of terraform/relay.json, which a test compares with these. */
export const functionVariables = {
  authorizer: [
    'PULLWIRE_ISSUERS',
    'PULLWIRE_LINK_URL',
    'PULLWIRE_LOG_LEVEL',
    'PULLWIRE_SECRET',
    'PULLWIRE_TABLE',
    'PULLWIRE_TOKEN_IN_QUERY',
  ],
  connect: ['PULLWIRE_LOG_LEVEL', 'PULLWIRE_TABLE'],
  disconnect: ['PULLWIRE_LOG_LEVEL', 'PULLWIRE_TABLE'],
  http: [
    'PULLWIRE_BUCKET',
    'PULLWIRE_CONNECTIONS_URL',
    'PULLWIRE_DEADLINE_DEFAULT_MS',
    'PULLWIRE_DEADLINE_MAX_MS',
    'PULLWIRE_ISSUERS',
    'PULLWIRE_LINK_URL',
    'PULLWIRE_LOG_LEVEL',
    'PULLWIRE_QUEUE_DEFAULT_MS',
    'PULLWIRE_QUEUE_KEEP_MS',
    'PULLWIRE_QUEUE_MAX_MS',
    'PULLWIRE_QUEUE_PER_CALLER',
    'PULLWIRE_QUEUE_PER_DEVICE',
    'PULLWIRE_SECRET',
    'PULLWIRE_TABLE',
  ],
  message: [
    'PULLWIRE_BUCKET',
    'PULLWIRE_CONNECTIONS_URL',
    'PULLWIRE_LOG_LEVEL',
    'PULLWIRE_READINGS_BYTES_PER_DAY',
    'PULLWIRE_RETENTION_DAYS',
    'PULLWIRE_SECRET',
    'PULLWIRE_TABLE',
  ],
  sweep: ['PULLWIRE_BUCKET', 'PULLWIRE_LOG_LEVEL', 'PULLWIRE_TABLE'],
} as const satisfies Record<string, readonly VariableName[]>;

type VariableName = keyof typeof variables;
export type FunctionName = keyof typeof functionVariables;

/** The checked environment of one function: one field a variable. */
export type Environment<F extends FunctionName> = Readonly<{
  [V in (typeof functionVariables)[F][number] as FieldOf<V>]: ValueOf<V>;
}>;

type FieldOf<V extends VariableName> = (typeof variables)[V][0];
type ValueOf<V extends VariableName> =
  (typeof variables)[V][1] extends EnvironmentFormat<infer T> ? T : never;

/**
 * What the function of this name is set to, frozen.
 *
 * @throws ConfigError naming every variable that is missing or not well-formed.
 */
export function readEnvironment<F extends FunctionName>(
  name: F,
  environment: Variables,
): Environment<F> {
  const mistakes: string[] = [];
  const fields: Record<string, unknown> = {};
  for (const variable of functionVariables[name]) {
    const [field, format]: readonly [string, EnvironmentFormat<unknown>] = variables[variable];
    fields[field] = readVariable(environment, variable, format, mistakes);
  }
  if (mistakes.length === 0) mistakes.push(...brokenRules(fields));
  if (mistakes.length > 0) throw new ConfigError(mistakes);
  return Object.freeze(fields) as Environment<F>;
}

/** The value of one variable; where there is none, a line more in `mistakes`. */
export function readVariable<T>(
  environment: Variables,
  variable: string,
  { expected, read }: EnvironmentFormat<T>,
  mistakes: string[],
): T | undefined {
  const text = environment[variable];
  const value = text === undefined ? undefined : read(text);
  if (value === undefined) {
    // The value is not repeated: what stands in the wrong variable may be a secret.
    mistakes.push(
      text === undefined ? `${variable}: is not set; ${expected}` : `${variable}: ${expected}`,
    );
  }
  return value;
}

/** Pairs of which the first must not be above the second. */
const ordered = [
  ['PULLWIRE_DEADLINE_DEFAULT_MS', 'PULLWIRE_DEADLINE_MAX_MS'],
  ['PULLWIRE_QUEUE_DEFAULT_MS', 'PULLWIRE_QUEUE_MAX_MS'],
] as const satisfies readonly (readonly [VariableName, VariableName])[];

function brokenRules(fields: Record<string, unknown>): string[] {
  const broken = ordered.filter(([less, more]) => {
    const [least, most] = [fields[variables[less][0]], fields[variables[more][0]]];
    return least !== undefined && Number(least) > Number(most);
  });
  return broken.map(([less, more]) => `${less}: must be at most ${more}`);
}
