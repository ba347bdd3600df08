/** What a frame's head says (RFC 6455 §5.2): at most 2 bytes, 8 of length and 4 of mask. */
const mostHeadBytes = 14;

/**
 * Reads the heads of a client's frames as they pass, to know how long each is: `ws` tells of messages only.
 * Calls `tooLong` at the first frame of data over `limit` bytes, before its payload has come.
 */
export class FrameMeter {
  readonly #limit: number;
  readonly #tooLong: () => void;
  readonly #head = Buffer.alloc(mostHeadBytes);
  #headBytes = 0;
  /** Bytes of payload still to pass. */
  #payload = 0;

  constructor(limit: number, tooLong: () => void) {
    this.#limit = limit;
    this.#tooLong = tooLong;
  }

  pass(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#payload > 0) {
        const skipped = Math.min(this.#payload, chunk.length - at);
        this.#payload -= skipped;
        at += skipped;
      } else {
        this.#head[this.#headBytes] = chunk[at] ?? 0;
        this.#headBytes += 1;
        at += 1;
        this.#readHead();
      }
    }
  }

  #readHead(): void {
    if (this.#headBytes < 2) return;
    const second = this.#head.readUInt8(1);
    const short = second & 0x7f;
    const lengthBytes = short === 127 ? 8 : short === 126 ? 2 : 0;
    const maskBytes = (second & 0x80) === 0 ? 0 : 4;
    if (this.#headBytes < 2 + lengthBytes + maskBytes) return;
    this.#headBytes = 0;
    this.#payload =
      lengthBytes === 8
        ? Number(this.#head.readBigUInt64BE(2))
        : lengthBytes === 2
          ? this.#head.readUInt16BE(2)
          : short;
    const isControl = (this.#head.readUInt8(0) & 0x08) !== 0;
    if (!isControl && this.#payload > this.#limit) this.#tooLong();
  }
}
