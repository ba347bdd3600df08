import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const piece = Buffer.alloc(16_384, 'x');

/** An upstream of bodies without end: `GET /endless/…` gives one (`/endless/events` as events), `PUT` takes one; all else is answered with its path. */
export class EndlessOrigin {
  readonly #server: Server = createServer((request, response) => this.#serve(request, response));
  readonly #taken = new Map<string, number>();

  /** Resolves with its URL. */
  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Bytes that were put at this path. */
  taken(path: string): number {
    return this.#taken.get(path) ?? 0;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const { method, url: path = '' } = request;
    request.on('data', (bytes: Buffer) => this.#taken.set(path, this.taken(path) + bytes.length));
    request.on('error', () => response.destroy());
    if (method === 'PUT') return;
    if (!path.startsWith('/endless/')) return void response.end(path);
    if (path === '/endless/events') response.setHeader('Content-Type', 'text/event-stream');
    const pour = (): void => {
      while (response.writable && response.write(piece));
    };
    response.on('drain', pour);
    pour();
  }
}
