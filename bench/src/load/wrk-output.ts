/** What wrk says about one run. */
export interface WrkReport {
  readonly seconds: number;
  readonly requests: number;
  /** All that came, heads too. */
  readonly bytes: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Connections that failed or broke, time-outs, and answers of status 400 and above; 1 where nothing was answered. */
  readonly errors: number;
}

interface Raw {
  readonly durationUs: number;
  readonly requests: number;
  readonly bytes: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly errors: Readonly<Record<string, number>>;
}

/**
 * Reads the line that `load.lua` adds to wrk's output.
 *
 * @throws Error where it is not there.
 */
export function parseWrk(output: string): WrkReport {
  const line = output.split('\n').find((candidate) => candidate.startsWith('{"durationUs":'));
  if (line === undefined) throw new Error(`wrk did not report: ${output.slice(-500)}`);
  const { durationUs, requests, bytes, p50Us, p99Us, errors } = JSON.parse(line) as Raw;
  const failed = Object.values(errors).reduce((sum, count) => sum + count, 0);
  return {
    seconds: durationUs / 1_000_000,
    requests,
    bytes,
    p50Ms: p50Us / 1_000,
    p99Ms: p99Us / 1_000,
    errors: requests === 0 ? Math.max(1, failed) : failed,
  };
}
