import type { Clock, HeaderList, Timer } from '@pullwire/shared';
import type {
  Exchange,
  ExchangeListener,
  HttpAnswer,
  RequestBodySink,
  RequestBodySource,
} from '../http/exchange.ts';
import type { AnswerWay } from './answer-way.ts';
import type { HttpEvent } from './event.ts';
import { resultHead } from './result-head.ts';

/** How long a small reply is collected after its head, in milliseconds; then it goes out as it comes. */
const collectMs = 2_000;
/** Never more is collected: the credit of an inline reply (DESIGN.md, "Decisions" 5) is less. */
const collectBytes = 128 * 1_024;

/**
 * One request of a function URL, as the use cases see it. A small reply is collected whole before its head goes out, so
 * that any fault until then is an honest answer.
 */
export class LambdaExchange implements Exchange, RequestBodySource {
  readonly method: string;
  readonly target: string;
  readonly headers: HeaderList;
  readonly length: number;
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

  constructor(event: HttpEvent, way: AnswerWay, clock: Clock) {
    const { rawPath, rawQueryString } = event;
    this.#way = way;
    this.#clock = clock;
    this.method = event.requestContext.http.method;
    this.target = rawQueryString === '' ? rawPath : `${rawPath}?${rawQueryString}`;
    this.headers = headerList(event);
    this.#body = bodyOf(event);
    this.length = this.#body.length;
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
    this.#held = undefined;
    this.#heldBytes = 0;
    const length = answer.status === 204 ? [] : ['Content-Length', String(answer.body.length)];
    this.head(answer.status, undefined, [...answer.headers, ...length]);
    this.end(answer.body);
  }

  head(status: number, _reason: string | undefined, headers: HeaderList): void {
    this.#timer?.cancel();
    this.#held = { status, headers, chunks: [] };
    if (!this.#holds) this.#timer = this.#clock.after(collectMs, () => this.#release());
    if (isEventStream(headers)) this.#release();
  }

  hold(): void {
    this.#holds = true;
    this.#timer?.cancel();
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

function headerList({ headers, cookies }: HttpEvent): string[] {
  const list: string[] = [];
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && (name !== 'cookie' || cookies === undefined)) list.push(name, value);
  }
  if (cookies !== undefined && cookies.length > 0) list.push('cookie', cookies.join('; '));
  return list;
}

function bodyOf({ body, isBase64Encoded }: HttpEvent): Uint8Array {
  return Buffer.from(body ?? '', isBase64Encoded ? 'base64' : 'utf8');
}

function isEventStream(headers: HeaderList): boolean {
  for (let at = 0; at + 1 < headers.length; at += 2) {
    if (headers[at]?.toLowerCase() === 'content-type') {
      return headers[at + 1]?.toLowerCase().startsWith('text/event-stream') === true;
    }
  }
  return false;
}
