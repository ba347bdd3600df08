/** Pieces of a body on their way to one reader, who sets the pace: whoever adds them keeps to what was taken. */
export class PieceStream implements AsyncIterable<Uint8Array> {
  readonly #taken: (total: number) => void;
  readonly #pieces: Uint8Array[] = [];
  #total = 0;
  #ended = false;
  #broken: Error | undefined;
  #wake: (() => void) | undefined;

  /** `taken` is told how many bytes the reader has taken, each time it takes some. */
  constructor(taken: (total: number) => void) {
    this.#taken = taken;
  }

  /** Bytes that the reader has taken. */
  get total(): number {
    return this.#total;
  }

  add(piece: Uint8Array): void {
    this.#pieces.push(piece);
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  /** The reader gets this error, whatever waits. */
  break(error: Error): void {
    this.#broken = error;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      if (this.#broken !== undefined) throw this.#broken;
      const piece = this.#pieces.shift();
      if (piece !== undefined) {
        yield piece;
        this.#total += piece.length;
        this.#taken(this.#total);
      } else if (this.#ended) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}
