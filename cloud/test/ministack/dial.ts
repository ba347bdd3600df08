import { once } from 'node:events';
import { type ClientOptions, WebSocket } from 'ws';

/** A socket to a WebSocket API, played by hand. */
export class DialledSocket {
  /** Resolves with the close code. */
  readonly closed: Promise<number>;
  readonly #socket: WebSocket;
  readonly #texts: string[] = [];
  readonly #waiting: ((text: string) => void)[] = [];

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    this.closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('message', (data) => this.#received(String(data)));
    socket.on('error', () => undefined); // a close follows
  }

  /** Resolves when it is open. Rejects where the handshake fails; see `refusal`. */
  static async dial(
    url: string,
    options: ClientOptions = {},
    subprotocols: readonly string[] = [],
  ): Promise<DialledSocket> {
    const socket = new WebSocket(url, [...subprotocols], options);
    const dialled = new DialledSocket(socket);
    await once(socket, 'open');
    return dialled;
  }

  /** What was agreed on; empty where nothing was. */
  get subprotocol(): string {
    return this.#socket.protocol;
  }

  send(text: string | Buffer): void {
    this.#socket.send(text);
  }

  /** The next text that comes. */
  next(): Promise<string> {
    const text = this.#texts.shift();
    if (text !== undefined) return Promise.resolve(text);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Sends a message and resolves with the next one that comes, read as JSON. */
  async ask(message: object): Promise<Record<string, unknown>> {
    this.send(JSON.stringify(message));
    return JSON.parse(await this.next()) as Record<string, unknown>;
  }

  async close(): Promise<void> {
    this.#socket.close();
    await this.closed;
  }

  #received(text: string): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#texts.push(text);
    else next(text);
  }
}

/** The status with which a handshake is refused. */
export async function refusal(
  url: string,
  options: ClientOptions = {},
  subprotocols: readonly string[] = [],
): Promise<number> {
  const socket = new WebSocket(url, [...subprotocols], options);
  socket.on('error', () => undefined); // a close follows
  return new Promise((resolve, reject) => {
    socket.once('unexpected-response', (request, response) => {
      request.destroy();
      resolve(response.statusCode ?? 0);
    });
    socket.once('open', () => {
      socket.terminate();
      reject(new Error('the handshake was accepted'));
    });
  });
}
