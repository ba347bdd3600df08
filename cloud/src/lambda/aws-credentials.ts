import { ConfigError } from '../config/config-error.ts';
import type { AwsCredentials } from '../object/sigv4.ts';
import { readVariable, type Variables } from './environment.ts';
import { credential, regionName, urlOf } from './environment-format.ts';

/** Who a function is at AWS, and where its services are. */
export interface AwsPlace {
  readonly region: string;
  readonly credentials: AwsCredentials;
  /** Another endpoint than AWS's for the region, by the SDK's own variables; undefined: AWS's. */
  endpoint(service: AwsService): string | undefined;
}

/** As the SDK's variables name it: `AWS_ENDPOINT_URL_S3`. */
export type AwsService = 'DYNAMODB' | 'S3' | 'SSM';

const endpointUrl = urlOf('https://', 'http://');

/**
 * Reads what Lambda itself sets in an environment (AWS Lambda Developer Guide, "Defined runtime environment variables")
 * and the variables of "Service-specific endpoints" (AWS SDKs and Tools Reference Guide).
 *
 * @throws ConfigError naming every variable that is missing or not well-formed, and no value.
 */
export function readAwsPlace(environment: Variables): AwsPlace {
  const mistakes: string[] = [];
  const text = (variable: string) =>
    readVariable(environment, variable, credential, mistakes) ?? '';
  const region = readVariable(environment, 'AWS_REGION', regionName, mistakes) ?? '';
  const credentials = {
    accessKeyId: text('AWS_ACCESS_KEY_ID'),
    secretAccessKey: text('AWS_SECRET_ACCESS_KEY'),
    sessionToken: isSet(environment, 'AWS_SESSION_TOKEN') ? text('AWS_SESSION_TOKEN') : undefined,
  };
  const endpoints = {
    DYNAMODB: endpointOf('DYNAMODB'),
    S3: endpointOf('S3'),
    SSM: endpointOf('SSM'),
  };
  if (mistakes.length > 0) throw new ConfigError(mistakes);
  return { region, credentials, endpoint: (service) => endpoints[service] };

  function endpointOf(service: AwsService): string | undefined {
    const names = [`AWS_ENDPOINT_URL_${service}`, 'AWS_ENDPOINT_URL'];
    const name = names.find((candidate) => isSet(environment, candidate));
    return name === undefined ? undefined : readVariable(environment, name, endpointUrl, mistakes);
  }
}

function isSet(environment: Variables, variable: string): boolean {
  return (environment[variable] ?? '') !== '';
}

/** As the clients of the AWS SDK take them: given, so that none is looked for. */
export function sdkCredentials({ credentials }: AwsPlace): {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
} {
  const { sessionToken, ...keys } = credentials;
  return sessionToken === undefined ? keys : { ...keys, sessionToken };
}
