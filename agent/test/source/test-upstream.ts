import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A real HTTP server on a free port of the loopback, that knows its sockets and what it wrote. */
export class TestUpstream {
  readonly server: Server;
  readonly sockets = new Set<Socket>();
  /** Exchanges that have begun and not ended. */
  open = 0;
  /** Bytes of `/large` handed to the last socket that asked for it. */
  produced = 0;
  readonly #routes = new Map<string, Handler>();

  constructor(tls?: ServerOptions) {
    const handle: Handler = (request, response) => this.#handle(request, response);
    this.server = tls === undefined ? createServer(handle) : createTlsServer(tls, handle);
    this.server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => this.sockets.delete(socket));
    });
    this.server.on('tlsClientError', () => {});
  }

  on(path: string, handler: Handler): this {
    this.#routes.set(path, handler);
    return this;
  }

  async listen(where: number | string = 0): Promise<this> {
    if (typeof where === 'string') this.server.listen(where);
    else this.server.listen(where, '127.0.0.1');
    await once(this.server, 'listening');
    return this;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  /** Writes `total` bytes as fast as they are taken. */
  stream(response: ServerResponse, total: number): void {
    const piece = Buffer.alloc(64 * 1024, 0x61);
    let left = total;
    this.produced = 0;
    const write = (): void => {
      while (left > 0 && !response.destroyed) {
        const size = Math.min(left, piece.length);
        left -= size;
        this.produced += size;
        if (!response.write(piece.subarray(0, size))) return void response.once('drain', write);
      }
      if (left === 0) response.end();
    };
    write();
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    this.open += 1;
    response.once('close', () => {
      this.open -= 1;
    });
    const path = (request.url ?? '').split('?')[0] ?? '';
    const handler = this.#routes.get(path);
    if (handler === undefined) response.writeHead(404).end();
    else handler(request, response);
  }
}

/** A TCP server that says what it is told to, whatever it is asked. */
export class RawUpstream {
  readonly server = createTcpServer();
  readonly sockets = new Set<Socket>();
  /** All that was sent to it. */
  received = '';

  constructor(answer: (socket: Socket, received: string) => void) {
    this.server.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => this.sockets.delete(socket));
      socket.on('data', (chunk) => {
        this.received += chunk.toString('latin1');
        answer(socket, this.received);
      });
    });
  }

  async listen(): Promise<this> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }
}
