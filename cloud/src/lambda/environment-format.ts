import { type LogLevel, logLevels } from '../config/relay-config.ts';

/** How the text of one variable is read: what is expected, in words, and the value; undefined where it is another. */
export interface EnvironmentFormat<T> {
  readonly expected: string;
  readonly read: (text: string) => T | undefined;
}

/** A URL of one of the schemes, as it was written but for slashes at its end. */
export function urlOf(...schemes: readonly string[]): EnvironmentFormat<string> {
  return {
    expected: `must be a URL with ${schemes.join(' or ')}, without credentials, query and fragment`,
    read: (text) => {
      const url = URL.parse(text);
      if (url === null || !schemes.includes(`${url.protocol}//`)) return undefined;
      const plain =
        url.username === '' && url.password === '' && url.search === '' && url.hash === '';
      return plain ? text.replace(/\/+$/, '') : undefined;
    },
  };
}

export function wholeNumber(least: number, most: number): EnvironmentFormat<number> {
  return {
    expected: `must be a whole number from ${least} to ${most}`,
    read: (text) => {
      const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
      return value >= least && value <= most ? value : undefined;
    },
  };
}

/** Amazon S3 User Guide, "General purpose bucket naming rules". */
export const bucketName = matching(
  /^[a-z0-9](?:[a-z0-9-]|\.(?![.-])){1,61}[a-z0-9]$/,
  'must be the name of a bucket: 3 to 63 lower-case letters, digits, "." or "-"',
);

/** Amazon DynamoDB Developer Guide, "Naming rules". */
export const tableName = matching(
  /^[A-Za-z0-9_.-]{3,255}$/,
  'must be the name of a table: 3 to 255 letters, digits, ".", "_" or "-"',
);

/** A name or an ARN (AWS Systems Manager API Reference, GetParameter). */
export const parameterName = matching(
  /^(?:arn:[a-z0-9-]+:ssm:[a-z0-9-]+:\d{12}:parameter)?[A-Za-z0-9_./-]{1,1011}$/,
  'must be the name or ARN of an SSM parameter',
);

export const regionName = matching(
  /^[a-z]{2}(?:-[a-z0-9]+)+$/,
  'must be a region such as eu-central-1',
);

/** Keys and tokens of AWS. */
export const credential = matching(/^[\x21-\x7e]+$/, 'must be visible characters');

export const trueOrFalse: EnvironmentFormat<boolean> = {
  expected: 'must be true or false',
  read: (text) => (text === 'true' ? true : text === 'false' ? false : undefined),
};

/** What stands in the list is read by whoever needs it. */
export const jsonList: EnvironmentFormat<readonly unknown[]> = {
  expected: 'must be a list in JSON',
  read: (text) => {
    try {
      const value: unknown = JSON.parse(text);
      return Array.isArray(value) ? value : undefined;
    } catch {
      return undefined;
    }
  },
};

export const logLevel: EnvironmentFormat<LogLevel> = {
  expected: `must be one of ${logLevels.join(', ')}`,
  read: (text) => logLevels.find((level) => level === text),
};

function matching(pattern: RegExp, expected: string): EnvironmentFormat<string> {
  return { expected, read: (text) => (pattern.test(text) ? text : undefined) };
}
