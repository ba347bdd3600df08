import type { IncomingMessage } from 'node:http';
import type { Clock } from '@pullwire/shared';

/** What a relay, or something before it, answered instead of 101. */
export interface Refusal {
  readonly status: number;
  /** It says that it is the relay's own answer. */
  readonly byRelay: boolean;
  readonly retryAfterMs?: number;
  /** `detail` of the problem document (RFC 9457), for the log. */
  readonly detail?: string;
}

const bodyLimitBytes = 4_096;
const bodyLimitMs = 1_000;

/** Reads the answer, no more than 4 KB of it and no longer than a second. Never rejects. */
export async function readRefusal(response: IncomingMessage, clock: Clock): Promise<Refusal> {
  const retryAfterMs = retryAfterOf(response, clock);
  const detail = problemDetail(await readStart(response, clock));
  return {
    status: response.statusCode ?? 0,
    byRelay: response.headers['pullwire-answered-by'] === 'relay',
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(detail !== undefined && { detail }),
  };
}

/** Milliseconds of an answer's `Retry-After`. Where the answer has no `Date`, this device's clock has to do. */
export function retryAfterOf({ headers }: IncomingMessage, clock: Clock): number | undefined {
  const date = Date.parse(headers.date ?? '');
  return parseRetryAfter(headers['retry-after'], Number.isNaN(date) ? clock.wall() : date);
}

/**
 * Milliseconds of a `Retry-After` (RFC 9110 §10.2.3): seconds, or a date. A date is compared with the `Date` of the
 * same answer, because the clock of a device may be wrong by years.
 */
export function parseRetryAfter(value: string | undefined, dateMs: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1_000;
  // `Date.parse` takes nearly anything; an HTTP date ends in GMT (RFC 9110 §5.6.7).
  const until = value.endsWith(' GMT') ? Date.parse(value) : Number.NaN;
  return Number.isNaN(until) ? undefined : Math.max(0, until - dateMs);
}

function readStart(response: IncomingMessage, clock: Clock): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const done = (): void => {
      timer.cancel();
      resolve(Buffer.concat(chunks).toString('utf8', 0, bodyLimitBytes));
    };
    const timer = clock.after(bodyLimitMs, done);
    response.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes >= bodyLimitBytes) {
        response.pause();
        done();
      }
    });
    response.on('end', done);
    response.on('error', done);
    response.on('close', done);
  });
}

function problemDetail(text: string): string | undefined {
  try {
    const problem: unknown = JSON.parse(text);
    if (typeof problem !== 'object' || problem === null || !('detail' in problem)) return undefined;
    return typeof problem.detail === 'string' ? problem.detail.slice(0, 500) : undefined;
  } catch {
    // Not a problem document: a proxy's HTML page, or nothing.
    return undefined;
  }
}
