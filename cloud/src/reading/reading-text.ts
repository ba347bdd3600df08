import type { StoredReading } from './reading.ts';

/** Bytes in base64 stand by three. */
const groupBytes = 3;

/**
 * A reading as JSON on one line, in pieces: a large body is never in memory as a whole. `open` may reject; where its body
 * is `undefined`, it is there no more.
 */
export async function* readingText(
  reading: StoredReading,
  open: () => Promise<AsyncIterable<Uint8Array> | undefined>,
): AsyncGenerator<string> {
  const head = JSON.stringify(headOf(reading)).slice(0, -1);
  if (reading.fault !== undefined) {
    yield `${head},"fault":${JSON.stringify(reading.fault)}}`;
    return;
  }
  const body = await open();
  if (body === undefined) {
    yield `${head},"bodyMissing":true}`;
    return;
  }
  yield `${head},"encoding":"${reading.isText ? 'utf-8' : 'base64'}","body":"`;
  yield* reading.isText ? textOf(body) : base64Of(body);
  yield '"}';
}

function headOf(reading: StoredReading): object {
  const { schedule, at, source, path, query, ms, status, headers, length } = reading;
  return {
    schedule,
    at: new Date(at).toISOString(),
    source,
    path,
    query,
    ms,
    status,
    headers: headers && pairsOf(headers),
    length,
  };
}

/** Names come more than once: no object holds them. */
function pairsOf(headers: readonly string[]): (readonly string[])[] {
  const pairs: (readonly string[])[] = [];
  for (let at = 0; at < headers.length; at += 2) pairs.push(headers.slice(at, at + 2));
  return pairs;
}

/** A character that is cut in two waits for its other half. A mark of byte order is a character like others. */
async function* textOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  for await (const piece of body) yield escaped(decoder.decode(piece, { stream: true }));
  yield escaped(decoder.decode());
}

function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

async function* base64Of(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let rest = Buffer.alloc(0);
  for await (const piece of body) {
    const bytes = Buffer.concat([rest, piece]);
    const whole = bytes.length - (bytes.length % groupBytes);
    rest = bytes.subarray(whole);
    yield bytes.toString('base64', 0, whole);
  }
  yield rest.toString('base64');
}
