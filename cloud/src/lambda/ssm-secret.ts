import type { Clock } from '@pullwire/shared';
import { AwsCallError, AwsClient, readText, systemCode } from '../object/https-aws-client.ts';
import type { AwsPlace } from './aws-credentials.ts';

/** Why the secret could not be read. */
export type SecretErrorCode =
  /** There is no parameter of that name. */
  | 'missing'
  /** The function may not read it, or not decrypt it. */
  | 'refused'
  /** SSM cannot be reached, is throttled or failed; a later try may work. */
  | 'unavailable'
  /** It answered what we do not understand. */
  | 'failed';

/** Names the parameter and never holds what is in it. */
export class SecretError extends Error {
  override readonly name = 'SecretError';
  readonly code: SecretErrorCode;

  constructor(code: SecretErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

export interface SsmSecretParts {
  /** Name or ARN of a SecureString parameter. */
  readonly name: string;
  readonly place: AwsPlace;
  readonly clock: Clock;
  /** From 0 to below 1. */
  readonly random: () => number;
}

/** A secret that AWS Systems Manager keeps. Read once, then kept for as long as the process lives. */
export class SsmSecret {
  readonly #name: string;
  readonly #url: URL;
  readonly #client: AwsClient;
  #value: Promise<string> | undefined;

  constructor({ name, place, clock, random }: SsmSecretParts) {
    const { region, credentials } = place;
    const suffix = region.startsWith('cn-') ? '.cn' : '';
    const own = `https://ssm.${region}.amazonaws.com${suffix}`;
    this.#name = name;
    this.#url = new URL(`${place.endpoint('SSM') ?? own}/`);
    const scope = { region, credentials, service: 'ssm' };
    this.#client = new AwsClient({ scope, clock, random });
  }

  /** Rejects with `SecretError`; the next call then tries again. Calls at the same time are one. */
  read(): Promise<string> {
    this.#value ??= this.#read().catch((error: unknown) => {
      this.#value = undefined;
      throw error;
    });
    return this.#value;
  }

  async #read(): Promise<string> {
    const text = await this.#fetch();
    this.#client.stop();
    const value = readValue(text);
    // Without the cause: a parser repeats what it could not parse.
    if (value === undefined) throw new SecretError('failed', `${this.#what}: SSM gave no value`);
    return value;
  }

  /** AWS Systems Manager API Reference, GetParameter. */
  async #fetch(): Promise<string> {
    const headers = {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'AmazonSSM.GetParameter',
    };
    const body = JSON.stringify({ Name: this.#name, WithDecryption: true });
    try {
      return await readText(
        await this.#client.call({ method: 'POST', url: this.#url, headers, body }),
      );
    } catch (cause) {
      throw new SecretError(codeOf(cause), `${this.#what}: ${reasonOf(cause)}`, cause);
    }
  }

  get #what(): string {
    return `the SSM parameter ${this.#name} cannot be read`;
  }
}

function readValue(text: string): string | undefined {
  try {
    const answer = JSON.parse(text) as { Parameter?: { Value?: unknown } } | null;
    const value = answer?.Parameter?.Value;
    return typeof value === 'string' && value !== '' ? value : undefined;
  } catch {
    return undefined;
  }
}

function codeOf(cause: unknown): SecretErrorCode {
  if (!(cause instanceof AwsCallError)) return 'unavailable';
  if (/^Parameter(Version)?NotFound/.test(cause.code)) return 'missing';
  const passing = cause.status === 0 || cause.status === 429 || cause.status >= 500;
  return passing || cause.code.startsWith('Throttl') ? 'unavailable' : 'refused';
}

function reasonOf(cause: unknown): string {
  return cause instanceof AwsCallError ? cause.message : systemCode(cause);
}
