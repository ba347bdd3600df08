import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import type { Clock } from '@pullwire/shared';

export interface HttpsRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

export interface HttpsAnswer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: IncomingMessage['headers'];
  /** To be iterated once, to its end or not. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** Milliseconds until the answer's head, connecting included, and between two pieces of its body. */
const silenceMs = 5_000;

/**
 * A connection that was idle for longer than this by the clock on the wall is not used again: the other side has closed
 * it, and a Lambda that was frozen meanwhile does not know.
 */
const idleMs = 4_000;

/** Plain HTTP/1.1 over connections that are kept. Nothing is sent a second time. */
export class HttpsClient {
  readonly #clock: Clock;
  readonly #http = new HttpAgent({ keepAlive: true, timeout: idleMs });
  readonly #https = new HttpsAgent({ keepAlive: true, timeout: idleMs });
  #usedAt = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves with the answer's head; rejects with what Node says where none comes. */
  send({ method, url, headers, body }: HttpsRequest): Promise<HttpsAnswer> {
    this.#dropIdle();
    const secure = url.protocol === 'https:';
    const options = {
      method,
      headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) },
      agent: secure ? this.#https : this.#http,
    };
    return new Promise((resolve, reject) => {
      const request = (secure ? requestHttps : requestHttp)(url, options);
      const silence = this.#clock.after(silenceMs, () => request.destroy(new SilenceError()));
      request.on('response', (response) => {
        silence.cancel();
        const status = response.statusCode ?? 0;
        resolve({ status, headers: response.headers, body: this.#read(response) });
      });
      request.on('error', (error) => {
        silence.cancel();
        reject(error);
      });
      request.end(body);
    });
  }

  /** Closes every connection. */
  close(): void {
    this.#http.destroy();
    this.#https.destroy();
  }

  /** The silence counts only while somebody waits for bytes: a slow reader is not the other side's fault. */
  async *#read(response: IncomingMessage): AsyncGenerator<Uint8Array> {
    const pieces = response[Symbol.asyncIterator]();
    try {
      for (;;) {
        const silence = this.#clock.after(silenceMs, () => response.destroy(new SilenceError()));
        const piece = await pieces.next().finally(() => silence.cancel());
        if (piece.done === true) return;
        yield piece.value as Uint8Array;
      }
    } finally {
      this.#usedAt = this.#clock.wall();
      await pieces.return?.(); // read to its end, it leaves the connection for the next request
    }
  }

  #dropIdle(): void {
    const now = this.#clock.wall();
    if (now - this.#usedAt > idleMs) {
      for (const agent of [this.#http, this.#https]) destroyFree(agent);
    }
    this.#usedAt = now;
  }
}

function destroyFree(agent: HttpAgent): void {
  for (const sockets of Object.values(agent.freeSockets)) {
    for (const socket of sockets ?? []) socket.destroy();
  }
}

class SilenceError extends Error {
  override readonly name = 'SilenceError';
  readonly code = 'ETIMEDOUT';

  constructor() {
    super(`nothing came for ${silenceMs} ms`);
  }
}
