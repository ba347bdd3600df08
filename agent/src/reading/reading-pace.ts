/** Waiting for their `stored` at once (PROTOCOL.md, "Features", `readings`). */
const mostBatches = 4;
const leastBytes = 2_048;
const firstBytes = 16_384;
const mostBytes = 98_304;
/**
 * While callers pull, a batch at a time, so large at most, and so far apart: what a relay does for a batch in one turn is what a
 * pull may have to wait for, and of larger or more frequent ones pulls take half as long again (`backlog.e2e`).
 */
const gentle = { batches: 1, bytes: 4_096, gapMs: 100 };
/** A caller who pulls again and again does so within this time. */
const busyMs = 1_000;
/** An answer within this time shows a path on which a pull does not notice what goes before it. */
const quickMs = 250;
const slowMs = 1_000;

/**
 * How much of a backlog may be on its way at once. A reply that a caller waits for goes behind whatever is on the path
 * already: on a slow one that must be little. The time until `stored` tells how slow it is. And whatever is done for a backlog
 * is not done for a pull in that moment: while pulls come, the backlog takes its time.
 */
export class ReadingPace {
  #batches = 1;
  #bytes = firstBytes;

  /** What may go now, where the last pull came `quietMs` ago. `gapMs`: between the beginnings of two batches. */
  allows(quietMs: number): {
    readonly batches: number;
    readonly bytes: number;
    readonly gapMs: number;
  } {
    if (quietMs > busyMs) return { batches: this.#batches, bytes: this.#bytes, gapMs: 0 };
    return { ...gentle, bytes: Math.min(gentle.bytes, this.#bytes) };
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
