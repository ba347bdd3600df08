import type { HttpResultHead } from '../../src/lambda/event.ts';

/** Eight zero bytes end the head of a streamed answer. */
const delimiter = Buffer.alloc(8);

/** Takes the head off the front of a streamed answer (`application/vnd.awslambda.http-integration-response`). */
export class Prelude {
  #bytes = Buffer.alloc(0);

  /** Undefined until the head is whole; then the head, and the bytes of the body that came with it. */
  take(bytes: Uint8Array): { head: HttpResultHead; rest: Buffer } | undefined {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    const end = this.#bytes.indexOf(delimiter);
    if (end === -1) return undefined;
    const head = answerHead(JSON.parse(this.#bytes.toString('utf8', 0, end)));
    if (head === undefined) throw new Error('the head of the answer has no statusCode');
    return { head, rest: this.#bytes.subarray(end + delimiter.length) };
  }
}

/** Undefined where `value` is not the head of an answer: then it is the body. */
export function answerHead(value: unknown): HttpResultHead | undefined {
  if (typeof value !== 'object' || value === null || !('statusCode' in value)) return undefined;
  const { statusCode, headers, cookies } = value as Partial<HttpResultHead>;
  if (typeof statusCode !== 'number') return undefined;
  return { statusCode, headers: headers ?? {}, ...(cookies === undefined ? {} : { cookies }) };
}
