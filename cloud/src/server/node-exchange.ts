import type { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { type HeaderList, headerValue, PullFault } from '@pullwire/shared';
import { contentLength } from '../http/content-length.ts';
import type {
  Exchange,
  ExchangeListener,
  HttpAnswer,
  RequestBodySink,
  RequestBodySource,
} from '../http/exchange.ts';

/** How long a caller whose request was answered early may go on sending its body before the connection is cut. */
const lingerMs = 5_000;

/** Up to this size a whole body goes out as text in one piece with its head: Node then needs no vectored write. */
const textBytes = 8_192;

export interface NodeExchangeInit {
  /** The client waits for 100 (Continue). */
  readonly awaitsContinue: boolean;
  /** Milliseconds for a whole body, where it is a small one; undefined: whoever reads it sees to that. */
  readonly bodyWithinMs: number | undefined;
  remoteAddress(request: IncomingMessage): string | undefined;
}

/** One request at the one-box server, as the use cases see it. */
export class NodeExchange implements Exchange, RequestBodySource {
  readonly method: string;
  readonly target: string;
  readonly headers: HeaderList;
  readonly length: number | undefined;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #init: NodeExchangeInit;
  #awaitsContinue: boolean;
  /** The head has gone out, and perhaps a part of the body. */
  #flowing = false;
  #listener: ExchangeListener | undefined;
  #sink: RequestBodySink | undefined;

  constructor(request: IncomingMessage, response: ServerResponse, init: NodeExchangeInit) {
    this.#init = init;
    this.#request = request;
    this.#response = response;
    this.#awaitsContinue = init.awaitsContinue;
    this.method = request.method as string;
    this.target = request.url as string;
    this.headers = request.rawHeaders;
    this.length = bodyLength(request.rawHeaders);
  }

  /** Looked up when it is asked for: of most requests nobody wants to know. */
  get remoteAddress(): string | undefined {
    return this.#init.remoteAddress(this.#request);
  }

  get body(): RequestBodySource {
    return this;
  }

  get expectsContinue(): boolean {
    return this.#awaitsContinue;
  }

  get takesTrailers(): boolean {
    return this.#request.httpVersionMinor > 0;
  }

  get pendingBytes(): number {
    return this.#response.writableLength;
  }

  hold(): void {}

  takeBack(): void {}

  get headSent(): boolean {
    return this.#response.headersSent;
  }

  listen(listener: ExchangeListener): void {
    const first = this.#listener === undefined;
    this.#listener = listener;
    if (!first) return;
    const response = this.#response;
    response.on('close', () => {
      if (!response.writableFinished) this.#listener?.left();
    });
  }

  proceed(): void {
    if (!this.#awaitsContinue) return;
    this.#awaitsContinue = false;
    this.#response.writeContinue();
  }

  answer(answer: HttpAnswer): void {
    if (this.#response.destroyed) return;
    const headers = [...answer.headers];
    // RFC 9110 §8.6: no Content-Length with 204.
    if (answer.status !== 204) headers.push('Content-Length', String(answer.body.length));
    this.head(answer.status, undefined, headers);
    this.end(answer.body);
  }

  head(status: number, reason: string | undefined, headers: HeaderList): void {
    const list = headers as string[]; // node:http wants a mutable one and does not change it
    // A client that still waits for 100 sends no body now: the connection has no clear next request.
    const raw = this.#awaitsContinue ? [...list, 'Connection', 'close'] : list;
    if (reason === undefined) this.#response.writeHead(status, raw);
    else this.#response.writeHead(status, reason, raw);
  }

  flush(): void {
    this.#flow();
    this.#response.flushHeaders();
  }

  write(chunk: Uint8Array): boolean {
    this.#flow();
    return this.#response.write(chunk);
  }

  end(chunk?: Uint8Array, trailers?: HeaderList): void {
    const response = this.#response;
    if (trailers !== undefined) response.addTrailers(pairs(trailers));
    if (chunk === undefined || chunk.length === 0) response.end();
    else if (chunk.length <= textBytes && !this.#flowing) response.end(latin1(chunk), 'latin1');
    else response.end(chunk);
    if (!this.#request.complete && this.length !== 0) this.#linger();
  }

  breakOff(): void {
    const { socket } = this.#response;
    // A reset, so that a client which reads until the end of the connection sees no short success.
    const tcp = tcpOf(socket);
    if (tcp === undefined) socket?.destroy();
    // What was written in this turn goes out first: a reset drops what still waits.
    else setImmediate(() => tcp.resetAndDestroy());
  }

  deliverTo(sink: RequestBodySink): void {
    this.#sink = sink;
    const request = this.#request;
    request.on('data', (chunk: Buffer) => this.#sink?.chunk(chunk));
    request.on('end', () => this.#sink?.end(request.rawTrailers));
    request.on('close', () => {
      if (!request.complete) this.#sink?.broken();
    });
    request.pause();
    if (this.#init.bodyWithinMs !== undefined) this.#endLate(this.#init.bodyWithinMs);
  }

  /** Ends a body that takes too long, by whatever trickles in. */
  #endLate(withinMs: number): void {
    const request = this.#request;
    const timer = setTimeout(() => this.#sink?.broken(late(withinMs)), withinMs);
    const clear = (): void => clearTimeout(timer);
    request.once('end', clear);
    request.once('close', clear);
  }

  resume(): void {
    this.#request.resume();
  }

  pause(): void {
    this.#request.pause();
  }

  /** Whole answers are most, and need no ear for the caller's pace. */
  #flow(): void {
    if (this.#flowing) return;
    this.#flowing = true;
    this.#response.on('drain', () => this.#listener?.taken());
  }

  /** Lets an early answer reach a caller that is still sending: a close now would reset the connection under it. */
  #linger(): void {
    const { socket } = this.#response;
    if (socket === null) return;
    this.#request.resume();
    const timer = setTimeout(() => socket.destroy(), lingerMs);
    const clear = (): void => clearTimeout(timer);
    this.#request.once('end', clear);
    socket.once('close', clear);
  }
}

function late(withinMs: number): PullFault {
  const detail = `the request body did not come within ${withinMs / 1_000} s`;
  return new PullFault('request-timeout', 'lookup', { detail });
}

/** Latin-1 text has one character for each byte, so that nothing is lost. */
function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

/**
 * The connection below TLS: a TLS socket cannot be reset, and ends in an orderly way (`close_notify`) even when destroyed.
 * Node has no public name for it; without one, a caller of HTTP/1.0 over TLS could not tell a loss from an end.
 */
function tcpOf(socket: Socket | null): Socket | undefined {
  if (socket === null || !('encrypted' in socket)) return socket ?? undefined;
  const { _parent: below } = socket as Socket & { _parent?: unknown };
  return below instanceof Socket ? below : undefined;
}

/** 0 where there is no body, undefined where it is chunked (RFC 9112 §6.3). */
function bodyLength(headers: HeaderList): number | undefined {
  const declared = contentLength(headers);
  if (typeof declared === 'number') return declared;
  return headerValue(headers, 'transfer-encoding') === undefined ? 0 : undefined;
}

function pairs(headers: HeaderList): [string, string][] {
  const list: [string, string][] = [];
  for (let i = 0; i < headers.length; i += 2) {
    list.push([headers[i] as string, headers[i + 1] as string]);
  }
  return list;
}
