import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { RawBody } from './raw-body.ts';
import { RawBytes } from './raw-bytes.ts';
import { type RawHead, readHead, requestFraming } from './raw-http.ts';

/**
 * A server that the test itself plays: it hands over each request as it came, byte for byte, and says what the test
 * says. Nothing is added and nothing is checked.
 */
export class Origin {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #waiting: OriginRequest[] = [];
  readonly #wanted: ((request: OriginRequest) => void)[] = [];

  private constructor() {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      void this.#serve(socket);
    });
  }

  static async start(): Promise<Origin> {
    const origin = new Origin();
    origin.#server.listen(0, '127.0.0.1');
    await once(origin.#server, 'listening');
    return origin;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Requests that came and were not asked for by `next`. */
  get unasked(): number {
    return this.#waiting.length;
  }

  /** The next request, as soon as its head is here. */
  next(): Promise<OriginRequest> {
    const request = this.#waiting.shift();
    if (request !== undefined) return Promise.resolve(request);
    return new Promise((resolve) => this.#wanted.push(resolve));
  }

  /** Whoever waits for a request waits in vain from now on: a test that failed takes none of the next one's. */
  forget(): void {
    this.#waiting.length = 0;
    this.#wanted.length = 0;
  }

  async stop(): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, 'close');
  }

  async #serve(socket: Socket): Promise<void> {
    socket.setNoDelay(true);
    const bytes = new RawBytes(socket);
    for (;;) {
      const head = await readHead(bytes);
      if (head === undefined) return;
      const request = new OriginRequest(head, bytes, socket);
      const wanted = this.#wanted.shift();
      if (wanted === undefined) this.#waiting.push(request);
      else wanted(request);
      await request.done;
    }
  }
}

/** One request at the origin; the connection's next one is read after `finish`. */
export class OriginRequest implements RawHead {
  readonly start: string;
  readonly headers: readonly string[];
  readonly body: RawBody;
  /** Resolves when the test has answered. */
  readonly done: Promise<void>;
  readonly #socket: Socket;
  #finish: () => void = () => undefined;

  constructor(head: RawHead, bytes: RawBytes, socket: Socket) {
    this.start = head.start;
    this.headers = head.headers;
    this.body = new RawBody(bytes, ...requestFraming(head.headers));
    this.#socket = socket;
    this.done = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  get method(): string {
    return this.start.slice(0, this.start.indexOf(' '));
  }

  /** Raw request target. */
  get target(): string {
    return this.start.slice(this.start.indexOf(' ') + 1, this.start.lastIndexOf(' '));
  }

  /** Part of the answer; Latin-1 where it is text. */
  send(data: string | Uint8Array): void {
    this.#socket.write(typeof data === 'string' ? Buffer.from(data, 'latin1') : data);
  }

  /** The answer is complete. `close`: and the connection ends with it. */
  finish({ close = false } = {}): void {
    if (close) this.#socket.end();
    this.#finish();
  }

  /** Ends the connection in a way that the peer sees as an error. */
  reset(): void {
    this.#socket.resetAndDestroy();
    this.#finish();
  }
}
