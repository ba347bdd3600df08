import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Bytes of one write: no multiple of any frame's. */
const stepBytes = 65_537;

/**
 * An upstream of large bodies: `GET /file/N` and `GET /chunked/N` have N bytes, those of `/held/N` stop half-way until they
 * are released, `POST /hash` answers the hash of its body.
 */
export class LargeOrigin {
  /** Hashes of the bodies that were posted, in order. */
  readonly posted: string[] = [];
  readonly #held: (() => void)[] = [];
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  /** Hexadecimal SHA-256 of a body of N bytes. */
  static hashOf(bytes: number): string {
    const hash = createHash('sha256');
    for (const piece of pieces(bytes)) hash.update(piece);
    return hash.digest('hex');
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  /** An agent's `sources:` that lead here. */
  get sources(): Readonly<Record<string, unknown>> {
    const url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    const allow = [{ paths: ['/**'], methods: ['GET', 'POST'] }];
    return { web: { kind: 'http', url, allow, limits: { requestBytes: '16MB' } } };
  }

  /** Lets those that stand half-way go on. */
  release(): void {
    for (const go of this.#held.splice(0)) go();
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, kind, size = '0'] = (request.url ?? '').split('/');
    if (kind === 'hash') return this.#takeBody(request, response);
    const bytes = Number(size);
    if (kind !== 'chunked') response.setHeader('Content-Length', size);
    let sent = 0;
    let held = kind === 'held';
    for (const piece of pieces(bytes)) {
      if (!response.write(piece)) await drained(response);
      sent += piece.length;
      if (held && sent >= bytes / 2) {
        held = false;
        await new Promise<void>((resolve) => this.#held.push(resolve));
      }
    }
    response.end();
  }

  async #takeBody(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const hash = createHash('sha256');
    for await (const piece of request) hash.update(piece as Buffer);
    const digest = hash.digest('hex');
    this.posted.push(digest);
    response.end(digest);
  }
}

/** Or the one who asked has left. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const over = () => {
      response.off('drain', over).off('close', over);
      resolve();
    };
    response.on('drain', over).on('close', over);
  });
}

/** The same for the same size, and nowhere twice the same within it. */
function* pieces(bytes: number): Generator<Buffer> {
  for (let at = 0; at < bytes; at += stepBytes) {
    const seed = createHash('sha512').update(String(at)).digest();
    yield Buffer.alloc(Math.min(stepBytes, bytes - at), seed);
  }
}
