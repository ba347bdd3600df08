import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import { Server as NetServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SecureContextOptions } from 'node:tls';
import { type Clock, type errorCodes, PullFault } from '@pullwire/shared';
import type { Exchange, HttpAnswer } from '../http/exchange.ts';
import { problem } from '../http/problem.ts';
import { routeOf } from '../http/routes.ts';
import { CallerConnections } from './caller-connections.ts';
import { NodeExchange } from './node-exchange.ts';

export interface HttpHostOptions {
  readonly clock: Clock;
  readonly listen: { readonly host: string; readonly port: number };
  /** Key and certificate; undefined: in the clear. */
  readonly tls: SecureContextOptions | undefined;
  /** Bytes of a request's head. */
  readonly headBytes: number;
  handle(exchange: Exchange): void;
  /** Milliseconds that a body may take of whatever is no pull; those are small. */
  readonly smallBodyMs: number;
  /** Who sent a request, seen through trusted proxies. */
  remoteAddress(request: IncomingMessage): string | undefined;
  /** Serves what lies below `/objects/`, where there is something. */
  readonly objects?: ObjectDoor | undefined;
  /** A WebSocket handshake at `/link`. */
  upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void;
}

/** Serves signed URLs. `proceed` lets a client go on that waits for 100 (Continue). */
export interface ObjectDoor {
  serve(request: IncomingMessage, response: ServerResponse, proceed?: () => void): Promise<void>;
}

/**
 * Connections that wait to be accepted at most (listen(2); the kernel has a limit of its own). One that finds no room is
 * tried again by its system after 1 s, 3 s, 7 s…: a fleet that comes back would drop callers' connections among its own.
 */
const backlog = 4_096;

/** For closing handshakes: a little more than an agent's socket takes to give one up. */
const lastWordsMs = 2_500;

/** `node:http` as a host: one port for callers and agents. */
export class HttpHost {
  readonly #options: HttpHostOptions;
  readonly #server: Server | TlsServer;
  readonly #callers: CallerConnections;
  #closing = false;
  #started = false;

  constructor(options: HttpHostOptions) {
    this.#options = options;
    this.#callers = new CallerConnections(options.clock);
    const settings = {
      maxHeaderSize: options.headBytes,
      keepAliveTimeout: 75_000,
      headersTimeout: 20_000,
      // How often the time-out above is looked at; Node's own 30 s would let slow heads live for 50.
      connectionsCheckingInterval: 5_000,
      // A large upload may take hours; a silent one is ended by the pull's deadline and idle limit.
      requestTimeout: 0,
      noDelay: true,
      shouldUpgradeCallback: isLinkUpgrade,
    };
    this.#server =
      options.tls === undefined
        ? createServer(settings)
        : createTlsServer({
            ...settings,
            ...options.tls,
            minVersion: 'TLSv1.2',
            handshakeTimeout: settings.headersTimeout,
          });
  }

  /** Resolves with the port when it listens; rejects where it cannot (`EADDRINUSE`…). */
  start(): Promise<number> {
    const { upgrade, listen } = this.#options;
    const server = this.#server;
    server.on('request', (request, response) => this.#take(request, response, false));
    server.on('checkContinue', (request, response) => this.#take(request, response, true));
    server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) =>
      this.#take(request, response, false),
    );
    const connected = this.#options.tls === undefined ? 'connection' : 'secureConnection';
    server.on(connected, (socket: Socket) => this.#callers.opened(socket));
    server.on('upgrade', (request, socket, head) => {
      this.#callers.leave(socket as Socket);
      upgrade(request, socket as Socket, head);
    });
    server.on('connect', (_request: IncomingMessage, socket: Duplex) =>
      answerRaw(socket, refusal('upgrade-not-supported', 'CONNECT cannot be tunnelled')),
    );
    server.on('clientError', (error: Error & { code?: string }, socket) => {
      answerRaw(socket, clientErrorAnswer(error.code));
    });
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ ...listen, backlog }, () => {
        server.off('error', reject);
        this.#started = true;
        const address = server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : listen.port);
      });
    });
  }

  #take(request: IncomingMessage, response: ServerResponse, awaitsContinue: boolean): void {
    const { handle, objects, remoteAddress, smallBodyMs } = this.#options;
    if (this.#closing) this.#last(request, response);
    if (objects === undefined || request.url?.startsWith('/objects/') !== true) {
      const bodyWithinMs = request.url?.startsWith('/devices/') === true ? undefined : smallBodyMs;
      const init = { awaitsContinue, bodyWithinMs, remoteAddress };
      return handle(new NodeExchange(request, response, init));
    }
    const proceed = awaitsContinue ? () => response.writeContinue() : undefined;
    void objects.serve(request, response, proceed);
  }

  /** New connections use this certificate from now on. */
  renew(tls: SecureContextOptions): void {
    if ('setSecureContext' in this.#server) {
      this.#server.setSecureContext({ ...tls, minVersion: 'TLSv1.2' });
    }
  }

  /**
   * Gives the port back. Connections that are there stay, for whoever has sent a request already, and each ends with its
   * next answer.
   */
  stopAccepting(): void {
    this.#closing = true;
    // http.Server's own `close` cuts idle connections, over which a request may be on its way (Node 19).
    NetServer.prototype.close.call(this.#server);
  }

  /** As `CallerConnections.gone`. */
  callersGone(quietMs: number, withinMs: number): Promise<void> {
    return this.#callers.gone(quietMs, withinMs);
  }

  #last(request: IncomingMessage, response: ServerResponse): void {
    response.setHeader('Connection', 'close');
    this.#callers.leave(request.socket);
  }

  /** Ends what is still open; resolves when agents have heard why, or after a moment. */
  async stop(): Promise<void> {
    const server = this.#server;
    const late = Promise.withResolvers<void>();
    const timer = this.#options.clock.after(this.#started ? lastWordsMs : 0, late.resolve);
    server.once('close', late.resolve); // when the last connection is gone, those of agents too
    server.close();
    server.closeAllConnections();
    await late.promise;
    timer.cancel();
  }
}

function isLinkUpgrade(request: IncomingMessage): boolean {
  return (
    request.headers.upgrade?.toLowerCase() === 'websocket' &&
    request.method === 'GET' &&
    routeOf(request.url ?? '').name === 'link'
  );
}

function refusal(code: keyof typeof errorCodes, detail: string): HttpAnswer {
  const fault = new PullFault(code, 'lookup', { detail });
  return problem(fault, { method: '', answeredBy: 'relay' });
}

/** What node:http could not parse (`HPE_…`), or found too large or too slow. */
function clientErrorAnswer(code: string | undefined): HttpAnswer {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return refusal('request-head-too-large', 'the request head is over the limit of this relay');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return refusal('request-timeout', 'the request head took too long to come');
    default:
      return refusal('bad-request', 'this is not HTTP/1.1 as RFC 9112 has it');
  }
}

/** Answers on a socket that has no response object (any more), and closes it. */
export function answerRaw(socket: Duplex, answer: HttpAnswer): void {
  if (!socket.writable || ('bytesWritten' in socket && (socket as Socket).bytesWritten > 0)) {
    socket.destroy(); // an answer has begun: a second one would be taken for the next request's
    return;
  }
  const lines = [`HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? ''}`];
  for (let i = 0; i < answer.headers.length; i += 2) {
    lines.push(`${answer.headers[i]}: ${answer.headers[i + 1]}`);
  }
  lines.push(
    `Date: ${new Date().toUTCString()}`,
    `Content-Length: ${answer.body.length}`,
    'Connection: close',
    '',
    '',
  );
  socket.on('error', () => socket.destroy());
  socket.end(Buffer.concat([Buffer.from(lines.join('\r\n'), 'latin1'), answer.body]));
}
