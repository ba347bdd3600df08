import { LambdaError } from './lambda-error.ts';

/** Bytes of a synchronous invocation's event, and of its result ("Lambda quotas"). */
const payloadBytes = 6 * 1024 * 1024;

/** What of an event reaches the function. Throws `LambdaError` `event-too-large`. */
export function eventJson(event: unknown): string {
  const json = JSON.stringify(event);
  checkSize('event', json);
  return json;
}

/**
 * What of a result reaches its caller: `undefined` becomes null. Throws `LambdaError` `malformed` for what JSON cannot
 * say, and `result-too-large`.
 */
export function passedResult(name: string, result: unknown): unknown {
  let json: string;
  try {
    json = JSON.stringify(result ?? null);
  } catch (error) {
    throw new LambdaError('malformed', `${name}: the result is not JSON`, { cause: error });
  }
  checkSize('result', json);
  return JSON.parse(json) as unknown;
}

function checkSize(what: 'event' | 'result', json: string): void {
  if (Buffer.byteLength(json) > payloadBytes) {
    throw new LambdaError(`${what}-too-large`, `the ${what} is over ${payloadBytes} bytes`);
  }
}
