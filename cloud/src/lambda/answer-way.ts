import type { BufferedHttpResult, HttpResultHead } from './event.ts';

/** How an answer leaves the function: as a stream, or as one value. */
export interface AnswerWay {
  head(head: HttpResultHead): void;
  /** False where the host does not keep up: `whenTaken` tells when it does again. */
  write(chunk: Uint8Array): boolean;
  end(): void;
  /** Ends in a way that the caller sees as broken, as far as the host can. */
  breakOff(): void;
  readonly pendingBytes: number;
  whenTaken(told: () => void): void;
}

/** A response stream of Lambda, as far as it is used here: a `Writable` of Node. */
export interface ResponseStream {
  write(chunk: Uint8Array): boolean;
  end(): void;
  destroy(error: Error): void;
  on(event: 'drain' | 'finish' | 'close' | 'error', listener: () => void): void;
  readonly writableLength: number;
}

/** What Lambda's runtime offers to functions that stream ("Writing response streaming-enabled Lambda functions"). */
export interface StreamRuntime {
  streamifyResponse(
    handler: (event: unknown, stream: ResponseStream, context: unknown) => Promise<void>,
  ): unknown;
  readonly HttpResponseStream: {
    from(stream: ResponseStream, head: HttpResultHead): ResponseStream;
  };
}

export class StreamedAnswer implements AnswerWay {
  readonly #runtime: StreamRuntime;
  #stream: ResponseStream;
  #wrote = false;
  #taken: () => void = () => undefined;
  readonly #closed: Promise<void>;

  constructor(runtime: StreamRuntime, stream: ResponseStream) {
    this.#runtime = runtime;
    this.#stream = stream;
    this.#closed = new Promise((resolve) => {
      stream.on('finish', resolve);
      stream.on('close', resolve);
    });
    stream.on('drain', () => this.#taken());
    stream.on('error', () => undefined); // `close` follows
  }

  /** Resolves when the runtime has taken everything. */
  get closed(): Promise<void> {
    return this.#closed;
  }

  head(head: HttpResultHead): void {
    this.#stream = this.#runtime.HttpResponseStream.from(this.#stream, head);
  }

  write(chunk: Uint8Array): boolean {
    this.#wrote = true;
    return this.#stream.write(chunk);
  }

  end(): void {
    // A stream that was never written to hangs (AWS.md, "The HTTP side").
    if (!this.#wrote) this.#stream.write(new Uint8Array(0));
    this.#stream.end();
  }

  breakOff(): void {
    this.#stream.destroy(new Error('the reply broke off'));
  }

  get pendingBytes(): number {
    return this.#stream.writableLength;
  }

  whenTaken(told: () => void): void {
    this.#taken = told;
  }
}

/** Where a host cannot stream: the answer is one value, its body in base64. */
export class BufferedAnswer implements AnswerWay {
  readonly #chunks: Uint8Array[] = [];
  #head: HttpResultHead | undefined;
  #broken = false;
  readonly pendingBytes = 0;

  head(head: HttpResultHead): void {
    this.#head = head;
  }

  write(chunk: Uint8Array): boolean {
    this.#chunks.push(chunk);
    return true;
  }

  end(): void {}

  breakOff(): void {
    this.#broken = true;
  }

  whenTaken(): void {}

  /** @throws Error where the answer broke off: the host then answers 502. */
  get result(): BufferedHttpResult {
    if (this.#head === undefined || this.#broken) throw new Error('the reply broke off');
    const body = Buffer.concat(this.#chunks).toString('base64');
    return { ...this.#head, body, isBase64Encoded: true };
  }
}
