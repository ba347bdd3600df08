import type { ErrorCode, HeaderList, PullFault } from '@pullwire/shared';

/** A whole answer, made by the relay. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: Uint8Array;
  /** What it says, where it is a problem. */
  readonly code?: ErrorCode;
}

/** The body of a caller's request. */
export interface RequestBodySource {
  /** Declared length in bytes; undefined where the body is chunked; 0 where there is none. */
  readonly length: number | undefined;
  /** Starts or goes on delivering to `sink`; before that nothing is read. */
  resume(): void;
  pause(): void;
  /** Told once, before `resume`. */
  deliverTo(sink: RequestBodySink): void;
}

export interface RequestBodySink {
  chunk(bytes: Uint8Array): void;
  end(trailers: HeaderList): void;
  /** The body broke off, or was malformed; `why` where that is not the caller's doing. */
  broken(why?: PullFault): void;
}

/** One HTTP request and the way its answer goes: what a host gives to the use cases. */
export interface Exchange {
  readonly method: string;
  /** Raw request target (RFC 9112 §3.2). */
  readonly target: string;
  readonly headers: HeaderList;
  /** Who sent it, as far as the host knows: for the log, and for whoever slows down attackers. */
  readonly remoteAddress: string | undefined;
  readonly body: RequestBodySource;
  /** The caller's `Expect: 100-continue` waits for `proceed`. */
  readonly expectsContinue: boolean;
  /** Trailers can follow a body of unknown length: not so in HTTP/1.0. */
  readonly takesTrailers: boolean;
  /** 100 (Continue), at most once. */
  proceed(): void;
  /** A whole answer. */
  answer(answer: HttpAnswer): void;
  /** The head of a streamed answer; `end` with the whole body right after it is one write. */
  head(status: number, reason: string | undefined, headers: HeaderList): void;
  /** Whether a head has gone out: until then a fault can still be an honest answer. A host may collect a small one. */
  readonly headSent: boolean;
  /** Where the host collects answers: this one's head stays until its body is here, however long that takes. */
  hold(): void;
  /** Forgets what of an answer has not gone out, where its head has not either: the answer begins anew. */
  takeBack(): void;
  /** Sends the head now: its body may be long in coming. */
  flush(): void;
  /** Returns false where the caller does not keep up; `taken` tells when it does again. */
  write(chunk: Uint8Array): boolean;
  end(chunk?: Uint8Array, trailers?: HeaderList): void;
  /** Ends an answer in a way the caller's client sees as broken, never as a short success. */
  breakOff(): void;
  /** Bytes written that the caller has not taken yet. */
  readonly pendingBytes: number;
  /** Where the exchange tells what happens from now on. */
  listen(listener: ExchangeListener): void;
}

export interface ExchangeListener {
  /** The caller has taken what was pending. */
  taken(): void;
  /** The caller left before its answer was complete; `why`, where it is not that. */
  left(why?: string): void;
}
