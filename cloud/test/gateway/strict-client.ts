import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';

/** The gateway's answer to a handshake that is not 101. */
class DialRefused extends Error {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];

  constructor(status: number, headers: IncomingMessage['headers']) {
    super(`answered ${status}`);
    this.name = 'DialRefused';
    this.status = status;
    this.headers = headers;
  }
}

export interface DialInit {
  readonly headers?: Readonly<Record<string, string>>;
  readonly protocols?: readonly string[];
}

/** A WebSocket client for tests: what it gets is awaited, one after the other. */
export class StrictClient {
  readonly socket: WebSocket;
  /** How the connection ended. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  readonly #texts: string[] = [];
  readonly #waiting: ((text: string) => void)[] = [];

  private constructor(
    url: string,
    { headers = { Authorization: 'Bearer x' }, protocols = [] }: DialInit,
  ) {
    this.socket = new WebSocket(url, [...protocols], { headers, perMessageDeflate: false });
    this.closed = new Promise((resolve) => {
      this.socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    this.socket.on('message', (data, isBinary) => {
      const text = isBinary ? 'binary' : data.toString();
      const waiting = this.#waiting.shift();
      if (waiting === undefined) this.#texts.push(text);
      else waiting(text);
    });
  }

  /** Rejects with `DialRefused`, or with what `ws` objects to. */
  static async dial(url: string, init: DialInit = {}): Promise<StrictClient> {
    const client = new StrictClient(url, init);
    await new Promise<void>((resolve, reject) => {
      client.socket.on('error', reject);
      client.socket.once('open', resolve);
      client.socket.once('unexpected-response', (_request, response) => {
        response.resume();
        reject(new DialRefused(response.statusCode ?? 0, response.headers));
      });
    });
    return client;
  }

  /** The next message that nobody has taken. */
  next(): Promise<string> {
    const text = this.#texts.shift();
    if (text !== undefined) return Promise.resolve(text);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** What came and was not taken. */
  get untaken(): readonly string[] {
    return this.#texts;
  }

  send(message: unknown): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }
}
