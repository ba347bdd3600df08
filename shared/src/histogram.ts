import type { Labels, Sample } from './metric.ts';

/** Seconds: from what a local source takes to the longest deadlines. */
const durationBounds: readonly number[] = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300,
];

/** Counts by fixed buckets. Counting allocates nothing. */
export class Histogram {
  readonly #bounds: readonly number[];
  /** One for each bound, and one for what is beyond the last. */
  readonly #counts: Float64Array;
  /** In one cell, so that no number is made anew for each count. */
  readonly #sum = new Float64Array(1);

  /** `bounds` grow; a value that equals one belongs below it. */
  constructor(bounds: readonly number[] = durationBounds) {
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  count(value: number): void {
    const bounds = this.#bounds;
    let at = 0;
    while (at < bounds.length && value > (bounds[at] ?? 0)) at += 1;
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#sum[0] = (this.#sum[0] ?? 0) + value;
  }

  /** Cumulative, as Prometheus wants them. */
  samples(labels: Labels = {}): Sample[] {
    let total = 0;
    const buckets = [...this.#counts].map((count, at): Sample => {
      total += count;
      const bound = this.#bounds[at];
      const le = bound === undefined ? '+Inf' : String(bound);
      return { suffix: '_bucket', labels: { ...labels, le }, value: total };
    });
    return [
      ...buckets,
      { suffix: '_sum', labels, value: this.#sum[0] ?? 0 },
      { suffix: '_count', labels, value: total },
    ];
  }
}
