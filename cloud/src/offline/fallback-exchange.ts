import { type HeaderList, headerValue } from '@pullwire/shared';
import type { Exchange, ExchangeListener, HttpAnswer } from '../http/exchange.ts';
import type { Failure } from './cache-status.ts';

/** What stands in for an error. */
export interface StandIn {
  /** Answers the exchange, of which nothing has gone out. */
  give(exchange: Exchange): void;
  /** It is not needed any more. */
  drop(): void;
}

export interface FallbackOptions {
  /** Looks for what stands in for this error; never rejects. Undefined where the error is to go out anyway. */
  standIn?(failure: Failure): Promise<StandIn | undefined>;
  /** A member for the `Cache-Status` of what the device answers. */
  readonly cacheStatus: string | undefined;
}

/** "an error is any situation that would result in" one of these (RFC 5861 §4). */
const errors = new Set([500, 502, 503, 504]);

/** An answer that waits until it is known whether something stands in for it. */
interface HeldAnswer {
  pass(): void;
  readonly chunks: Uint8Array[];
  bytes: number;
  ended: boolean;
}

/**
 * An exchange whose errors are held back until it is known whether a stored answer stands in for them. Whoever answers it
 * need not know: a reply that is replaced is swallowed, and its pull ends as if the caller had left.
 */
export class FallbackExchange implements Exchange, ExchangeListener {
  readonly #inner: Exchange;
  readonly #options: FallbackOptions;
  #listener: ExchangeListener | undefined;
  #held: HeldAnswer | undefined;
  /** Nothing is held back any more: the answer goes out as it comes. */
  #passes = false;
  #replaced = false;

  constructor(inner: Exchange, options: FallbackOptions) {
    this.#inner = inner;
    this.#options = options;
    this.#passes = options.standIn === undefined;
  }

  get method(): string {
    return this.#inner.method;
  }

  get target(): string {
    return this.#inner.target;
  }

  get headers(): HeaderList {
    return this.#inner.headers;
  }

  get remoteAddress(): string | undefined {
    return this.#inner.remoteAddress;
  }

  get body(): Exchange['body'] {
    return this.#inner.body;
  }

  get expectsContinue(): boolean {
    return this.#inner.expectsContinue;
  }

  get takesTrailers(): boolean {
    return this.#inner.takesTrailers;
  }

  get headSent(): boolean {
    return this.#replaced || this.#inner.headSent;
  }

  /** What is held counts as not taken: no further credit is given for it. */
  get pendingBytes(): number {
    return this.#replaced ? 0 : (this.#held?.bytes ?? 0) + this.#inner.pendingBytes;
  }

  proceed(): void {
    this.#inner.proceed();
  }

  answer(answer: HttpAnswer): void {
    if (this.#replaced) return;
    const pass = () => this.#inner.answer(answer);
    if (!this.#isHeld(answer.status)) return pass();
    const pullId = headerValue(answer.headers, 'pullwire-pull');
    this.#hold({ status: answer.status, code: answer.code ?? 'relay-error', pullId }, pass, true);
  }

  head(status: number, reason: string | undefined, headers: HeaderList): void {
    if (this.#replaced) return;
    const { cacheStatus } = this.#options;
    const said = cacheStatus === undefined ? headers : [...headers, 'Cache-Status', cacheStatus];
    const pass = () => this.#inner.head(status, reason, said);
    if (!this.#isHeld(status)) return pass();
    const pullId = headerValue(headers, 'pullwire-pull');
    this.#hold({ status, code: undefined, pullId }, pass, false);
  }

  hold(): void {
    if (!this.#replaced) this.#inner.hold();
  }

  takeBack(): void {
    this.#held = undefined;
    if (!this.#replaced) this.#inner.takeBack();
  }

  flush(): void {
    if (!this.#replaced && this.#held === undefined) this.#inner.flush();
  }

  write(chunk: Uint8Array): boolean {
    if (this.#replaced) return true;
    const held = this.#held;
    if (held === undefined) return this.#inner.write(chunk);
    held.chunks.push(chunk);
    held.bytes += chunk.length;
    return false;
  }

  end(chunk?: Uint8Array, trailers?: HeaderList): void {
    if (this.#replaced) return;
    const held = this.#held;
    if (held === undefined) return this.#inner.end(chunk, trailers);
    held.ended = true;
    const last = held.pass;
    const { chunks } = held;
    held.pass = () => {
      last();
      for (const piece of chunks.splice(0)) this.#inner.write(piece);
      this.#inner.end(chunk, trailers);
    };
  }

  breakOff(): void {
    if (this.#replaced) return;
    this.#held = undefined;
    this.#passes = true;
    this.#inner.breakOff();
  }

  listen(listener: ExchangeListener): void {
    this.#listener = listener;
    this.#inner.listen(this);
  }

  taken(): void {
    this.#listener?.taken();
  }

  left(): void {
    this.#held = undefined;
    this.#passes = true;
    this.#listener?.left();
  }

  #isHeld(status: number): boolean {
    return !this.#passes && !this.#inner.headSent && errors.has(status);
  }

  /** A later error of the same pull, such as a reply that breaks, takes the place of what was held. */
  #hold(failure: Failure, pass: () => void, ended: boolean): void {
    const held: HeldAnswer = { pass, chunks: [], bytes: 0, ended };
    this.#held = held;
    void this.#options.standIn?.(failure).then((standIn) => this.#decide(held, standIn));
  }

  #decide(held: HeldAnswer, standIn: StandIn | undefined): void {
    if (this.#held !== held) return standIn?.drop();
    this.#held = undefined;
    if (standIn === undefined) return this.#pass(held);
    this.#replaced = true;
    this.#inner.takeBack();
    if (!held.ended) this.#listener?.left('the caller was given a stored answer instead');
    standIn.give(this.#inner);
  }

  #pass(held: HeldAnswer): void {
    this.#passes = true;
    held.pass();
    for (const chunk of held.chunks) this.#inner.write(chunk);
    if (!held.ended) this.#listener?.taken();
  }
}
