/** Waiting for their `stored` at once (PROTOCOL.md, "Features", `readings`). */
const mostBatches = 4;
const leastBytes = 2_048;
const firstBytes = 16_384;
const mostBytes = 98_304;
/** An answer within this time shows a path on which a pull does not notice what goes before it. */
const quickMs = 250;
const slowMs = 1_000;

/**
 * How much of a backlog may be on its way at once. A reply that a caller waits for goes behind whatever is on the path
 * already: on a slow one that must be little. The time until `stored` tells how slow it is.
 */
export class ReadingPace {
  #batches = 1;
  #bytes = firstBytes;

  get batches(): number {
    return this.#batches;
  }

  /** Of one batch. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A batch was stored `ms` after it was sent. */
  answered(ms: number): void {
    if (ms <= quickMs) {
      this.#batches = Math.min(mostBatches, this.#batches + 1);
      this.#bytes = Math.min(mostBytes, this.#bytes * 2);
    } else if (ms > slowMs) {
      this.#batches = 1;
      this.#bytes = Math.max(leastBytes, this.#bytes / 2);
    }
  }

  /** Another path, of which nothing is known. */
  reset(): void {
    this.#batches = 1;
    this.#bytes = firstBytes;
  }
}
