import {
  earlyFrameLimit,
  type Head,
  type HeaderList,
  headerValue,
  PullFault,
  Reorder,
  type ReplyBody,
  type ReplyEnd,
  Window,
} from '@pullwire/shared';
import { contentLength } from '../http/content-length.ts';
import type { Exchange } from '../http/exchange.ts';
import { hasReplyBody, replyHeaders } from '../http/pull-headers.ts';

export interface ReplyToCallerHooks {
  /** Milliseconds since the request came. */
  elapsed(): number;
  /** The reply body may run up to `limit`. */
  grant(limit: number): void;
  /** The head has been given to the caller. */
  begun(status: number): void;
  /** The reply is complete. */
  ended(): void;
}

type ReplyFrame = Head | ReplyBody | ReplyEnd;

/**
 * Writes an agent's reply frames to the caller, in order, at the caller's pace. The agent is not trusted: what would
 * break the framing of the HTTP answer becomes a `protocol-error`.
 */
export class ReplyToCaller {
  readonly #exchange: Exchange;
  readonly #pullId: string;
  readonly #hooks: ReplyToCallerHooks;
  readonly #order: Reorder<ReplyFrame>;
  readonly #window: Window;
  #received = 0;
  #declared: number | undefined;
  #bodyless = false;
  status: number | undefined;
  #headers: HeaderList = [];

  constructor(exchange: Exchange, pullId: string, windowBytes: number, hooks: ReplyToCallerHooks) {
    this.#exchange = exchange;
    this.#pullId = pullId;
    this.#hooks = hooks;
    this.#window = new Window(windowBytes);
    this.#order = new Reorder({ frames: earlyFrameLimit, bytes: windowBytes, next: 0 });
  }

  get contentType(): string | undefined {
    return headerValue(this.#headers, 'content-type');
  }

  /** The number of the frame that comes next. */
  get next(): number {
    return this.#order.next;
  }

  /** Whether a frame has come before an earlier one: that is late, or was lost. */
  get hasGap(): boolean {
    return this.#order.earlyFrames > 0;
  }

  /** Whether the head has said how long the body is. */
  get hasLength(): boolean {
    return this.#declared !== undefined;
  }

  get bytes(): number {
    return this.#received;
  }

  /** Throws `PullFault` or `WireError` where the frames make no honest reply. */
  receive(frame: ReplyFrame): void {
    const bytes = frame.action === 'end' ? 0 : (frame.body?.length ?? 0);
    this.#order.accept(frame, bytes, this.#deliver);
  }

  /** The caller has taken more: opens credit as far as that allows. */
  taken(): void {
    const limit = this.#window.taken(this.#received - this.#exchange.pendingBytes);
    if (limit !== undefined) this.#hooks.grant(limit);
  }

  /** The body comes from object storage: none of it may have come by frames. Throws `PullFault`. */
  objectBegins(length: number): void {
    if (this.#bodyless || this.#received > 0)
      throw broken('the reply has a body of its own already');
    if (this.#declared !== undefined && this.#declared !== length) {
      throw broken(`the object has ${length} bytes, the Content-Length is ${this.#declared}`);
    }
  }

  /** False where the caller does not keep up. */
  objectChunk(chunk: Uint8Array): boolean {
    this.#received += chunk.length;
    return this.#exchange.write(chunk);
  }

  objectEnds(trailers: readonly string[] | undefined): void {
    this.#finish(undefined, trailers);
  }

  /** The caller fetches the body itself (RFC 9110 §15.4.4). */
  redirect(location: string): void {
    const headers = ['Location', location, 'Cache-Control', 'no-store', 'Pullwire-Answered-By'];
    headers.push('relay', 'Pullwire-Pull', this.#pullId);
    this.#exchange.answer({ status: 303, headers, body: new Uint8Array(0) });
    this.#hooks.ended();
  }

  readonly #deliver = (frame: ReplyFrame): void => {
    switch (frame.action) {
      case 'head':
        return this.#head(frame);
      case 'body':
        return this.#body(frame.body, frame.end);
      case 'end':
        return this.#end(undefined, frame);
    }
  };

  #head(head: Head): void {
    const { method } = this.#exchange;
    this.#bodyless = !hasReplyBody(method, head.status);
    const declared = contentLength(head.headers);
    if (declared === 'invalid') throw broken('the reply has no single valid Content-Length');
    this.#declared = this.#bodyless ? undefined : declared;
    if (head.body !== undefined) this.#count(head.body.length);
    if (head.end) this.#checkComplete();
    const totalMs = this.#hooks.elapsed();
    const trailers = !this.#bodyless && declared === undefined && this.#exchange.takesTrailers;
    const headers = replyHeaders(head, { pullId: this.#pullId, trailers, totalMs });
    this.#exchange.head(head.status, head.reason, headers);
    this.status = head.status;
    this.#headers = head.headers;
    this.#hooks.begun(head.status);
    if (head.end) this.#finish(head.body, undefined);
    else if (head.body !== undefined) this.#write(head.body);
    else this.#exchange.flush();
  }

  #body(body: Uint8Array, end: boolean): void {
    this.#count(body.length);
    if (end) this.#end(body, undefined);
    else this.#write(body);
  }

  #write(body: Uint8Array): void {
    if (!this.#bodyless) this.#exchange.write(body);
    this.taken();
  }

  #end(body: Uint8Array | undefined, frame: ReplyEnd | undefined): void {
    this.#checkComplete();
    this.#finish(body, frame?.trailers);
  }

  #finish(body: Uint8Array | undefined, trailers: readonly string[] | undefined): void {
    this.#exchange.end(this.#bodyless ? undefined : body, trailers);
    this.#hooks.ended();
  }

  #count(bytes: number): void {
    this.#window.received(bytes);
    this.#received += bytes;
    if (this.#declared !== undefined && this.#received > this.#declared) {
      throw broken(`the reply's body is longer than its Content-Length of ${this.#declared}`);
    }
  }

  #checkComplete(): void {
    if (this.#declared === undefined || this.#received === this.#declared) return;
    throw broken(
      `the reply's body ended after ${this.#received} bytes, its Content-Length is ${this.#declared}`,
    );
  }
}

function broken(detail: string): PullFault {
  return new PullFault('protocol-error', 'stream', { detail });
}
