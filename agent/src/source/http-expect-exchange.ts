import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { type HeaderList, headerValue, type Timer } from '@pullwire/shared';
import { HttpExchange } from './http-exchange.ts';
import type { HttpTarget } from './http-target.ts';
import type { HttpTls } from './http-tls.ts';
import type { HttpUpstream } from './http-upstream.ts';
import type { ReplyWriter, SourceRequest } from './source.ts';

/** Where a request goes, as `node:http` wants to know it. */
export interface ExpectOrigin {
  readonly isSecure: boolean;
  readonly host: string;
  readonly options: RequestOptions;
}

export function expectOrigin(target: HttpTarget, tls: HttpTls): ExpectOrigin {
  const { isSecure, host, hostname, port, socketPath } = target;
  const place = socketPath === undefined ? { host: hostname, port } : { socketPath };
  const options = {
    ...place,
    ...(isSecure ? tls : undefined),
    agent: false,
    maxHeaderSize: 16_384,
  };
  return { isSecure, host, options };
}

/** The body is not as long as its `Content-Length` says. */
const wrongLength = Object.assign(new Error('wrong length'), {
  code: 'ERR_HTTP_CONTENT_LENGTH_MISMATCH',
});
const connectTimeout = Object.assign(new Error('no connection in time'), { code: 'ETIMEDOUT' });
const brokenBody = Object.assign(new Error('body ended early'), {
  code: 'ERR_STREAM_PREMATURE_CLOSE',
});
/** The upstream upgrades, which nobody asked for. */
const unasked = Object.assign(new Error('unasked upgrade'), { code: 'HPE_UPGRADE' });

/**
 * A pull with `Expect`, which undici refuses: by `node:http`, on a connection of its own. The request's body is not
 * read, and so no credit for it is opened, before the upstream's 100; a final answer ends the pull without it.
 */
export class ExpectExchange extends HttpExchange {
  readonly #origin: ExpectOrigin;
  readonly #upstream: HttpUpstream;
  readonly #path: string;
  readonly #headers: HeaderList;
  #connectTimer: Timer | undefined;
  #client: ClientRequest | undefined;
  #answer: IncomingMessage | undefined;
  /** Undefined: not declared, so chunked. */
  #bodyBytesLeft: number | undefined;

  constructor(
    upstream: HttpUpstream,
    request: SourceRequest,
    reply: ReplyWriter,
    origin: ExpectOrigin,
    path: string,
    headers: HeaderList,
  ) {
    super(upstream, request, reply);
    this.#upstream = upstream;
    this.#origin = origin;
    this.#path = path;
    this.#headers = headers;
  }

  protected override send(): void {
    const { method, body } = this.request;
    const begin = this.#origin.isSecure ? httpsRequest : httpRequest;
    const headers = this.#framedHeaders();
    const client = begin({ ...this.#origin.options, method, path: this.#path, headers });
    this.#client = client;
    client.maxHeadersCount = 0;
    client.on('error', (error) => this.broke(error));
    client.on('socket', (socket) => this.#awaitConnection(socket));
    client.on('continue', () => this.#sendBody(client));
    client.on('upgrade', () => this.broke(unasked));
    client.on('response', (answer) => this.#read(answer, client));
    if (body === undefined) client.end();
    if (body instanceof Readable) this.#watch(body);
  }

  protected override pauseUpstream(): void {
    this.#answer?.pause();
  }

  protected override resumeUpstream(): void {
    this.#answer?.resume();
  }

  protected override abortUpstream(): void {
    this.#connectTimer?.cancel();
    this.#client?.destroy();
  }

  /** A raw list keeps order, case and repetition; Node adds neither `Host` nor framing to it. */
  #framedHeaders(): string[] {
    const { body } = this.request;
    const isStream = body instanceof Readable;
    const headers: string[] = [];
    if (headerValue(this.#headers, 'host') === undefined) headers.push('Host', this.#origin.host);
    for (let i = 0; i < this.#headers.length; i += 2) {
      const name = this.#headers[i] as string;
      const value = this.#headers[i + 1] as string;
      const isLength = name.toLowerCase() === 'content-length';
      if (isLength && isStream) this.#bodyBytesLeft = Number(value);
      if (!isLength || isStream) headers.push(name, value);
    }
    if (body instanceof Uint8Array) headers.push('Content-Length', String(body.length));
    if (isStream && this.#bodyBytesLeft === undefined) headers.push('Transfer-Encoding', 'chunked');
    return headers;
  }

  #awaitConnection(socket: Socket): void {
    const { clock, limits } = this.#upstream;
    // Node sends a head with `Expect` in the socket's default encoding, which is UTF-8.
    socket.setDefaultEncoding('latin1');
    this.#connectTimer = clock.after(limits.connectMs, () => {
      this.broke(connectTimeout);
    });
    socket.once(this.#origin.isSecure ? 'secureConnect' : 'connect', () => {
      this.#connectTimer?.cancel();
      this.connected();
    });
  }

  /** The body may break off before it was asked for. */
  #watch(body: Readable): void {
    body.once('error', (error) => this.broke(error));
    body.once('close', () => {
      if (!body.readableEnded) this.broke(brokenBody);
    });
  }

  #sendBody(client: ClientRequest): void {
    const { body } = this.request;
    if (body instanceof Uint8Array) client.end(body);
    if (!(body instanceof Readable)) return;
    body.on('data', (chunk: Uint8Array) => {
      if (this.#overruns(chunk.length)) return this.broke(wrongLength);
      if (!client.write(chunk)) body.pause();
      this.bodySent();
    });
    client.on('drain', () => body.resume());
    body.once('end', () => {
      if (this.#bodyBytesLeft !== undefined && this.#bodyBytesLeft > 0) this.broke(wrongLength);
      else client.end();
    });
  }

  #overruns(bytes: number): boolean {
    if (this.#bodyBytesLeft === undefined) return false;
    this.#bodyBytesLeft -= bytes;
    return this.#bodyBytesLeft < 0;
  }

  #read(answer: IncomingMessage, client: ClientRequest): void {
    this.#answer = answer;
    answer.on('error', (error) => this.broke(error));
    this.headCame(answer.statusCode ?? 0, answer.statusMessage ?? '', answer.rawHeaders);
    if (this.isOver) return;
    answer.on('data', (chunk: Buffer) => this.bodyCame(chunk));
    answer.once('end', () => {
      this.ended(answer.rawTrailers);
      // The body that was never asked for keeps the request, and with it the connection, unfinished.
      client.destroy();
    });
  }
}
