import type { IncomingMessage } from 'node:http';
import { PartStoreError } from './part-store.ts';

/** Of an error's body: S3 says its code in the first lines. */
const errorBytes = 2_048;
const etagPattern = /^[\x21-\x7e]{1,128}$/;
/** Answers that may be others the next time (RFC 9110 §15.5.9, §15.6; RFC 6585 §4). */
const retryable = (status: number): boolean => status >= 500 || status === 408 || status === 429;

/** The ETag that a storage answered a PUT with. @throws PartStoreError */
export async function readStoreAnswer(answer: IncomingMessage): Promise<string> {
  const status = answer.statusCode ?? 0;
  // To its end also where it is of no interest: then the connection can be used again.
  const start = await readStart(answer);
  if (status < 200 || status > 299) {
    const code = errorCode(start);
    const why = code === undefined ? '' : ` (${code})`;
    throw new PartStoreError(`the storage answered ${status}${why}`, retryable(status));
  }
  const { etag } = answer.headers;
  if (etag === undefined || !etagPattern.test(etag)) {
    throw new PartStoreError('the storage answered without an ETag', false);
  }
  return etag;
}

async function readStart(answer: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of answer as AsyncIterable<Buffer>) {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes >= errorBytes) break; // which destroys the rest
  }
  return Buffer.concat(pieces).toString('latin1', 0, errorBytes);
}

/** Nothing else of S3's text: it repeats the request, signature and all (S3 API, "Error responses"). */
function errorCode(text: string): string | undefined {
  return /<Code>([A-Za-z0-9.]{1,64})<\/Code>/.exec(text)?.[1];
}
