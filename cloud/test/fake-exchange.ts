import type { HeaderList } from '@pullwire/shared';
import type {
  Exchange,
  ExchangeListener,
  HttpAnswer,
  RequestBodySink,
  RequestBodySource,
} from '../src/http/exchange.ts';

export interface FakeExchangeInit {
  readonly method?: string;
  readonly target?: string;
  readonly headers?: HeaderList;
  readonly bodyLength?: number | undefined;
  readonly chunked?: boolean;
  readonly expectsContinue?: boolean;
  readonly remoteAddress?: string;
}

/** An exchange whose caller is the test: it decides when bytes are taken, and sees what was answered. */
export class FakeExchange implements Exchange, RequestBodySource {
  readonly method: string;
  readonly target: string;
  readonly headers: HeaderList;
  readonly length: number | undefined;
  readonly expectsContinue: boolean;
  readonly remoteAddress: string | undefined;
  readonly takesTrailers = true;
  pendingBytes = 0;
  status: number | undefined;
  answerHeaders: HeaderList = [];
  bodyText = '';
  ended = false;
  broken = false;
  proceeded = 0;
  reading = false;
  trailers: HeaderList | undefined;
  #listener: ExchangeListener | undefined;
  sink: RequestBodySink | undefined;
  /** Whether what is written counts as taken at once. */
  takes = true;

  constructor(init: FakeExchangeInit = {}) {
    this.method = init.method ?? 'GET';
    this.target = init.target ?? '/devices/plant-7/sources/metrics/m';
    this.headers = init.headers ?? [];
    this.length = init.chunked === true ? undefined : (init.bodyLength ?? 0);
    this.expectsContinue = init.expectsContinue ?? false;
    this.remoteAddress = init.remoteAddress;
  }

  get body(): RequestBodySource {
    return this;
  }

  get problem(): { code: string; stage: string; detail: string } {
    return JSON.parse(this.bodyText) as { code: string; stage: string; detail: string };
  }

  hold(): void {}

  takeBack(): void {}

  get headSent(): boolean {
    return this.status !== undefined;
  }

  listen(listener: ExchangeListener): void {
    this.#listener = listener;
  }

  proceed(): void {
    this.proceeded += 1;
  }

  answer(answer: HttpAnswer): void {
    this.head(answer.status, undefined, answer.headers);
    this.end(answer.body);
  }

  head(status: number, _reason: string | undefined, headers: HeaderList): void {
    if (this.status !== undefined) throw new Error('a second head');
    this.status = status;
    this.answerHeaders = headers;
  }

  flush(): void {}

  write(chunk: Uint8Array): boolean {
    this.bodyText += Buffer.from(chunk).toString('latin1');
    if (!this.takes) this.pendingBytes += chunk.length;
    return this.takes;
  }

  end(chunk?: Uint8Array, trailers?: HeaderList): void {
    if (chunk !== undefined) this.write(chunk);
    this.ended = true;
    this.trailers = trailers;
  }

  breakOff(): void {
    this.broken = true;
  }

  deliverTo(sink: RequestBodySink): void {
    this.sink = sink;
  }

  resume(): void {
    this.reading = true;
  }

  pause(): void {
    this.reading = false;
  }

  /** The caller takes what is pending. */
  take(bytes = this.pendingBytes): void {
    this.pendingBytes -= bytes;
    this.#listener?.taken();
  }

  leave(): void {
    this.#listener?.left();
  }
}
