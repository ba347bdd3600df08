import type { Clock } from '@pullwire/shared';
import { type HttpsAnswer, HttpsClient } from './https-client.ts';
import { type SigningScope, sha256Hex, signByHeader } from './sigv4.ts';

export interface AwsCall {
  readonly method: string;
  readonly url: URL;
  /** Lower-case names. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** An answer that is no success, or none at all. */
export class AwsCallError extends Error {
  override readonly name = 'AwsCallError';
  /** 0 where no answer came. */
  readonly status: number;
  /** AWS's own (`NoSuchKey`) or the system's (`ECONNREFUSED`). */
  readonly code: string;

  constructor(status: number, code: string, cause?: unknown) {
    const message = status === 0 ? code : `${status} ${code}`;
    super(message, cause === undefined ? undefined : { cause });
    this.status = status;
    this.code = code;
  }
}

export interface AwsClientParts {
  readonly scope: SigningScope;
  readonly clock: Clock;
  /** From 0 to below 1. */
  readonly random: () => number;
}

const attempts = 3;
/** Milliseconds before the second attempt at most; four times as long before the third. Full jitter. */
const firstPauseMs = 100;
/** AWS refuses what is signed more than 5 minutes off ("Signing AWS API requests"), S3 more than 15. */
const skewMs = 4 * 60_000;
const longestError = 65_536;

/** Calls of one AWS service, signed. All of them can be repeated, and are where the service fails for a moment. */
export class AwsClient {
  readonly #parts: AwsClientParts;
  readonly #https: HttpsClient;
  #aheadMs = 0;

  constructor(parts: AwsClientParts) {
    this.#parts = parts;
    this.#https = new HttpsClient(parts.clock);
  }

  get scope(): SigningScope {
    return this.#parts.scope;
  }

  /** Epoch milliseconds by the service's clock, as far as we know it. */
  now(): number {
    return this.#parts.clock.wall() + this.#aheadMs;
  }

  /** Resolves with a 2xx answer, whose body must be read; rejects with `AwsCallError`. */
  async call(request: AwsCall): Promise<HttpsAnswer> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#once(request);
      } catch (error) {
        if (!(error instanceof AwsCallError) || !isPassing(error) || attempt === attempts) {
          throw error;
        }
        await this.#pause(firstPauseMs * 4 ** (attempt - 1));
      }
    }
  }

  stop(): void {
    this.#https.close();
  }

  async #once(request: AwsCall): Promise<HttpsAnswer> {
    const answer = await this.#send(request);
    if (isSuccess(answer)) return answer;
    const error = await readError(answer);
    if (!this.#takeClock(answer)) throw error;
    const again = await this.#send(request);
    if (isSuccess(again)) return again;
    throw await readError(again);
  }

  async #send({ method, url, headers = {}, body = '' }: AwsCall): Promise<HttpsAnswer> {
    const unsigned = { method, url, headers };
    const signed = signByHeader(unsigned, sha256Hex(body), this.#parts.scope, this.now());
    try {
      return await this.#https.send({ method, url, headers: signed, body });
    } catch (cause) {
      throw new AwsCallError(0, systemCode(cause), cause);
    }
  }

  /** Our clock may be wrong: where a refusal's `Date` is far from it, the service's counts from then on. */
  #takeClock({ status, headers }: HttpsAnswer): boolean {
    const date = Date.parse(headers.date ?? '');
    if (status < 400 || status > 403 || Number.isNaN(date)) return false;
    if (Math.abs(date - this.now()) < skewMs) return false;
    this.#aheadMs = date - this.#parts.clock.wall();
    return true;
  }

  #pause(mostMs: number): Promise<void> {
    const { clock, random } = this.#parts;
    return new Promise((resolve) => clock.after(random() * mostMs, resolve));
  }
}

/** The whole body as text. `unavailable` faults of the network reject as they come. */
export async function readText({ body }: HttpsAnswer, most = Number.POSITIVE_INFINITY) {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of body) {
    pieces.push(piece);
    size += piece.length;
    if (size > most) break;
  }
  return Buffer.concat(pieces).toString('utf8');
}

/** What Node says of a connection (`ECONNRESET`), or the error's name. */
export function systemCode(cause: unknown): string {
  if (!(cause instanceof Error)) return 'unknown';
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.name;
}

function isSuccess({ status }: HttpsAnswer): boolean {
  return status >= 200 && status < 300;
}

/** What S3, SSM and DynamoDB say with 400 or 503 where they are asked too often. */
const passing = /^(Throttl|SlowDown|ProvisionedThroughputExceeded|RequestLimitExceeded)/;

function isPassing({ status, code }: AwsCallError): boolean {
  return status === 0 || status === 429 || status >= 500 || passing.test(code);
}

/** The code stands in XML (S3), in a header or in JSON (SSM), or nowhere (the answer to HEAD). */
async function readError(answer: HttpsAnswer): Promise<AwsCallError> {
  const header = answer.headers['x-amzn-errortype'];
  const text = await readText(answer, longestError).catch(() => '');
  const code =
    (typeof header === 'string' ? header : undefined) ??
    /<Code>([A-Za-z.]+)<\/Code>/.exec(text)?.[1] ??
    /"__type"\s*:\s*"(?:[^"#]*#)?([A-Za-z.]+)"/.exec(text)?.[1] ??
    'without a code';
  return new AwsCallError(answer.status, code.replace(/[:,].*$/, '').slice(0, 100));
}
