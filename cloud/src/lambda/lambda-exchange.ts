import type { Clock, HeaderList, Timer } from '@pullwire/shared';
import { contentLength } from '../http/content-length.ts';
import type {
  Exchange,
  ExchangeListener,
  HttpAnswer,
  RequestBodySink,
  RequestBodySource,
} from '../http/exchange.ts';
import type { AnswerWay } from './answer-way.ts';
import type { CallerEvent } from './event.ts';
import { httpRequest } from './http-request.ts';
import { resultHead } from './result-head.ts';

/** How long a small reply is collected after its head, in milliseconds; then it goes out as it comes. */
const collectMs = 2_000;
/** Never more is collected: the credit of an inline reply (DESIGN.md, "Decisions" 5) is less. */
const collectBytes = 128 * 1_024;
/**
 * DESIGN.md, "Decisions" 5: on API Gateway each frame is a message, so the inline limit is the credit: 4 frames. A reply
 * that says that it is no longer waits for its end, however long that takes: a break after the head may reach the
 * caller as a clean end (AWS.md, "The HTTP side"), and a short reply would pass for a whole one.
 */
export const inlineBytes = 88_000;

/**
 * One request of a function URL or a REST API, as the use cases see it. A small reply is collected whole before its head
 * goes out, so that any fault until then is an honest answer.
 */
export class LambdaExchange implements Exchange, RequestBodySource {
  readonly method: string;
  readonly target: string;
  readonly headers: HeaderList;
  readonly length: number;
  readonly remoteAddress: string | undefined;
  readonly expectsContinue = false;
  readonly takesTrailers = false;
  readonly #way: AnswerWay;
  readonly #clock: Clock;
  readonly #body: Uint8Array;
  readonly #finished = Promise.withResolvers<void>();
  #listener: ExchangeListener | undefined;
  #sink: RequestBodySink | undefined;
  #held:
    | { readonly status: number; readonly headers: HeaderList; chunks: Uint8Array[] }
    | undefined;
  #heldBytes = 0;
  #timer: Timer | undefined;
  #headSent = false;
  #holds = false;
  #over = false;

  constructor(event: CallerEvent, way: AnswerWay, clock: Clock) {
    const { method, target, headers, body, remoteAddress } = httpRequest(event);
    this.#way = way;
    this.#clock = clock;
    this.method = method;
    this.target = target;
    this.headers = headers;
    this.#body = body;
    this.length = body.length;
    this.remoteAddress = remoteAddress;
    way.whenTaken(() => this.#listener?.taken());
  }

  /** Resolves when the answer has been handed over, whole or broken. */
  get finished(): Promise<void> {
    return this.#finished.promise;
  }

  get body(): RequestBodySource {
    return this;
  }

  get headSent(): boolean {
    return this.#headSent;
  }

  /** What is collected counts as not taken: no further credit is given for it. */
  get pendingBytes(): number {
    return this.#heldBytes + this.#way.pendingBytes;
  }

  listen(listener: ExchangeListener): void {
    this.#listener = listener;
  }

  deliverTo(sink: RequestBodySink): void {
    this.#sink = sink;
  }

  /** The whole body is in the event: it is delivered at once, and only once. */
  resume(): void {
    const sink = this.#sink;
    if (sink === undefined) return;
    this.#sink = undefined;
    sink.chunk(this.#body);
    sink.end([]);
  }

  pause(): void {}

  proceed(): void {}

  answer(answer: HttpAnswer): void {
    if (this.#over || this.#headSent) return;
    this.takeBack();
    const length = answer.status === 204 ? [] : ['Content-Length', String(answer.body.length)];
    this.head(answer.status, undefined, [...answer.headers, ...length]);
    this.end(answer.body);
  }

  head(status: number, _reason: string | undefined, headers: HeaderList): void {
    this.#timer?.cancel();
    this.#held = { status, headers, chunks: [] };
    if (comesWhole(headers)) this.hold();
    if (!this.#holds) this.#timer = this.#clock.after(collectMs, () => this.#release());
    if (isEventStream(headers)) this.#release();
  }

  hold(): void {
    this.#holds = true;
    this.#timer?.cancel();
  }

  takeBack(): void {
    this.#timer?.cancel();
    this.#held = undefined;
    this.#heldBytes = 0;
    this.#holds = false;
  }

  flush(): void {}

  write(chunk: Uint8Array): boolean {
    if (this.#held === undefined) return this.#over || this.#way.write(chunk);
    this.#held.chunks.push(chunk);
    this.#heldBytes += chunk.length;
    if (this.#heldBytes > collectBytes) this.#release();
    return true;
  }

  end(chunk?: Uint8Array): void {
    if (chunk !== undefined && chunk.length > 0) this.write(chunk);
    this.#release();
    this.#way.end();
    this.#end();
  }

  breakOff(): void {
    if (this.#over) return;
    this.#way.breakOff();
    this.#end();
  }

  #release(): void {
    const held = this.#held;
    if (held === undefined) return;
    this.#held = undefined;
    this.#heldBytes = 0;
    this.#timer?.cancel();
    this.#headSent = true;
    this.#way.head(resultHead(held.status, held.headers));
    for (const chunk of held.chunks) this.#way.write(chunk);
    this.#listener?.taken();
  }

  #end(): void {
    this.#over = true;
    this.#timer?.cancel();
    this.#finished.resolve();
  }
}

/** Whether all of the body comes without further credit. */
function comesWhole(headers: HeaderList): boolean {
  const length = contentLength(headers);
  return typeof length === 'number' && length <= inlineBytes;
}

function isEventStream(headers: HeaderList): boolean {
  for (let at = 0; at + 1 < headers.length; at += 2) {
    if (headers[at]?.toLowerCase() === 'content-type') {
      return headers[at + 1]?.toLowerCase().startsWith('text/event-stream') === true;
    }
  }
  return false;
}
