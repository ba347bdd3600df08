import { errorCodes, stages } from '@pullwire/shared';
import { Histogram, type MetricFamily } from '@pullwire/shared/metrics';

/** How one pull ended: `code` and `stage` of its fault, undefined where there was none. */
export interface EndedPull {
  readonly code: string | undefined;
  readonly stage: string | undefined;
  /** Of the reply's body. */
  readonly bytes: number;
  /** Since its request came; undefined where nothing went to a device. */
  readonly ms: number | undefined;
}

const codes: ReadonlySet<string> = new Set(Object.keys(errorCodes));
const knownStages: ReadonlySet<string> = new Set(stages);

/** Pulls for metrics, by words of closed sets: no fleet, caller or agent makes them more. Counting allocates nothing. */
export class PullTally {
  readonly #counts = new Map<string, Map<string, number>>();
  readonly #duration = new Histogram();
  #bytes = 0;

  count({ code, stage, bytes, ms }: EndedPull): void {
    const outcome = code === undefined ? 'done' : codes.has(code) ? code : 'other';
    const at = stage === undefined ? 'none' : knownStages.has(stage) ? stage : 'other';
    let counts = this.#counts.get(outcome);
    if (counts === undefined) {
      counts = new Map();
      this.#counts.set(outcome, counts);
    }
    counts.set(at, (counts.get(at) ?? 0) + 1);
    this.#bytes += bytes;
    if (ms !== undefined) this.#duration.count(ms / 1_000);
  }

  metrics(): MetricFamily[] {
    return [
      {
        type: 'counter',
        name: 'pullwire_relay_pulls_total',
        help: 'Pulls that were answered or broken off, by outcome (docs/errors.md) and the stage where a fault ended them.',
        samples: [...this.#counts].flatMap(([outcome, counts]) =>
          [...counts].map(([stage, value]) => ({ labels: { outcome, stage }, value })),
        ),
      },
      {
        type: 'histogram',
        name: 'pullwire_relay_pull_duration_seconds',
        help: 'From the request to the end of the answer, of pulls that went to a device.',
        samples: this.#duration.samples(),
      },
      {
        type: 'counter',
        name: 'pullwire_relay_pull_reply_bytes_total',
        help: 'Bytes of reply bodies.',
        samples: [{ value: this.#bytes }],
      },
    ];
  }
}
