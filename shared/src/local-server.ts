import { chmodSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

/** What is answered to a `GET`. */
export interface LocalAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** By path. */
export type LocalRoutes = Readonly<Record<string, () => LocalAnswer>>;

/** A TCP port, or a Unix socket that only its owner may use. */
export type LocalPlace =
  | { readonly host: string; readonly port: number }
  | { readonly path: string };

/** As many as monitors and people need; a runaway script must not cost the process its file descriptors. */
const mostConnections = 32;
const ownerOnly = 0o600;

/** Plain HTTP for the monitors and people of this machine: a few fixed answers, nothing that changes anything. */
export class LocalServer {
  readonly #server: Server;

  constructor(routes: LocalRoutes) {
    this.#server = createServer(
      {
        maxHeaderSize: 8_192,
        headersTimeout: 5_000,
        requestTimeout: 5_000,
        connectionsCheckingInterval: 5_000,
        keepAliveTimeout: 5_000,
      },
      (request, response) => answer(routes, request, response),
    );
    this.#server.maxConnections = mostConnections;
    // Being asked how it is keeps no process alive: one that could not start must end.
    this.#server.unref();
  }

  /** Resolves with the port (0: a Unix socket) when it listens; rejects where it cannot (`EADDRINUSE`, `EACCES`…). */
  start(place: LocalPlace): Promise<number> {
    const server = this.#server;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(place, () => {
        server.off('error', reject);
        // What fails later is one connection, not the process.
        server.on('error', () => {});
        const address = server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
      // A Unix socket is bound within `listen`: nobody else can have connected before this line.
      if ('path' in place && server.listening) chmodSync(place.path, ownerOnly);
    });
  }

  /** Resolves when the port, or the socket's file, is free again. */
  stop(): Promise<void> {
    const server = this.#server;
    if (!server.listening) return Promise.resolve();
    return new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }
}

export const json = (status: number, value: unknown): LocalAnswer => ({
  status,
  type: 'application/json',
  body: `${JSON.stringify(value)}\n`,
});

function answer(routes: LocalRoutes, request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  const { status, type, body } = answerTo(routes, request);
  const isHead = request.method === 'HEAD';
  response.writeHead(status, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    ...(status === 405 && { Allow: 'GET, HEAD' }),
  });
  response.end(isHead ? undefined : body);
}

function answerTo(routes: LocalRoutes, { method, url = '' }: IncomingMessage): LocalAnswer {
  const path = url.split('?', 1)[0] ?? '';
  const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
  if (route === undefined) {
    return plain(
      404,
      `There is no ${path.slice(0, 100)} here; there is ${Object.keys(routes).join(', ')}.`,
    );
  }
  if (method !== 'GET' && method !== 'HEAD')
    return plain(405, 'Only GET and HEAD are answered here.');
  return route();
}

const plain = (status: number, text: string): LocalAnswer => ({
  status,
  type: 'text/plain; charset=utf-8',
  body: `${text}\n`,
});
