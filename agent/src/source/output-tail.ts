/** Keeps the last bytes of what is pushed into it. */
export class OutputTail {
  readonly #limitBytes: number;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  push(chunk: Buffer): void {
    const all = Buffer.concat([this.#bytes, chunk]);
    this.#bytes = Buffer.from(all.subarray(Math.max(0, all.length - this.#limitBytes)));
  }

  /** Without the white space at its end; what is not UTF-8 becomes U+FFFD. */
  text(): string {
    return this.#bytes.toString('utf8').trimEnd();
  }
}
