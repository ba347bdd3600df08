import { Writable } from 'node:stream';

/** Where a function's streamed bytes go: the function URL. */
export interface StreamSink {
  /** Called once, before the first byte. */
  begin(contentType: string): void;
  /** Resolves when there is room for more. */
  write(bytes: Uint8Array): Promise<void>;
  end(): void;
}

/**
 * What the runtime hands to a streaming handler, with its edges (aws-lambda-nodejs-runtime-interface-client,
 * ResponseStream.js): what was set to come before the first write comes with a `write()` only, not with `end(chunk)`;
 * `end` takes one argument; the content type can be set until the first write; nothing tells that the caller left.
 */
export class ResponseStream extends Writable {
  /** Resolves when the handler has ended it and all was passed on; rejects where it destroys it. */
  readonly ended: Promise<void>;
  readonly #sink: StreamSink;
  #contentType = 'application/octet-stream';
  #begun = false;
  #written = false;
  #first: readonly Uint8Array[] = [];

  constructor(sink: StreamSink) {
    super({ decodeStrings: true });
    this.#sink = sink;
    const ended = Promise.withResolvers<void>();
    this.ended = ended.promise;
    this.once('finish', () => ended.resolve());
    this.once('close', () => ended.reject(new Error('the response stream was destroyed')));
    // Told by `ended`; a handler need not listen.
    this.on('error', () => {});
    ended.promise.catch(() => {});
  }

  /** Whether anything was written, an empty chunk too. */
  get begun(): boolean {
    return this.#begun;
  }

  setContentType(contentType: string): void {
    if (this.#written) throw new Error('Cannot set content-type, too late.');
    this.#contentType = contentType;
  }

  /** Sets what comes before the first written bytes (`_onBeforeFirstWrite`). */
  beforeFirstWrite(chunks: readonly Uint8Array[]): void {
    this.#first = chunks;
  }

  override write(...args: unknown[]): boolean {
    if (!this.#written) {
      this.#written = true;
      for (const chunk of this.#first) super.write(chunk);
    }
    return super.write(...(args as Parameters<Writable['write']>));
  }

  override end(...args: unknown[]): this {
    return super.end(...(args.slice(0, 1) as Parameters<Writable['end']>));
  }

  override _write(
    chunk: Buffer,
    _encoding: string,
    callback: (error?: Error | null) => void,
  ): void {
    this.#begin();
    this.#sink.write(chunk).then(() => callback(), callback);
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#begin();
    this.#sink.end();
    callback();
  }

  #begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    this.#sink.begin(this.#contentType);
  }
}
