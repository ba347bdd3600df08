import { type HeaderList, headerValue } from '@pullwire/shared';
import type { Dispatcher } from 'undici';
import { HttpExchange } from './http-exchange.ts';
import { rawHeaders, reasonPhrase } from './http-raw-headers.ts';
import type { HttpUpstream } from './http-upstream.ts';
import type { ReplyWriter, SourceRequest } from './source.ts';

/** What undici needs to send a request. */
export type PoolRequest = Dispatcher.DispatchOptions;

/** One error for all: a stack would cost more than the abort. */
const aborted = new Error('the pull is over');

/** A pull over the pool of connections, by undici's raw handler: no promise and no stream of its own. */
export class PoolExchange extends HttpExchange implements Dispatcher.DispatchHandler {
  readonly #pool: Dispatcher;
  readonly #options: PoolRequest;
  #controller: Dispatcher.DispatchController | undefined;
  /** Of the reply, and how much of its body has come. */
  #headers: HeaderList = [];
  #bytes = 0;

  constructor(
    upstream: HttpUpstream,
    request: SourceRequest,
    reply: ReplyWriter,
    pool: Dispatcher,
    options: PoolRequest,
  ) {
    super(upstream, request, reply);
    this.#pool = pool;
    this.#options = options;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Cancelled while it waited for a connection: undici has no public way to take it out of the queue.
    if (this.isOver) return controller.abort(aborted);
    this.#controller = controller;
    this.connected();
  }

  onBodySent(): void {
    this.bodySent();
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    _headers: unknown,
    reason = '',
  ): void {
    if (status < 200) return;
    this.#headers = rawHeaders(controller.rawHeaders);
    this.headCame(status, reasonPhrase(reason), this.#headers);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length;
    this.bodyCame(chunk);
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    this.ended(rawHeaders(controller.rawTrailers));
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    // Where the connection ends while a whole body is held back, undici 8.13 says that it broke (its parser is paused).
    if (this.#bytes === lengthOf(this.#headers)) this.ended([]);
    else this.broke(error);
  }

  protected override send(): void {
    this.#pool.dispatch(this.#options, this);
  }

  protected override pauseUpstream(): void {
    this.#controller?.pause();
  }

  protected override resumeUpstream(): void {
    this.#controller?.resume();
  }

  protected override abortUpstream(): void {
    this.#controller?.abort(aborted);
  }
}

/** Of a body that is delimited by it (RFC 9112 §6.3); undefined where there is none, or none that says so. */
function lengthOf(headers: HeaderList): number | undefined {
  if (headerValue(headers, 'transfer-encoding') !== undefined) return undefined;
  const length = headerValue(headers, 'content-length');
  return length === undefined || !/^\d{1,15}$/.test(length) ? undefined : Number(length);
}
