import { type Clock, cancelReasons, errorCodes } from '@pullwire/shared';
import { Histogram, type MetricFamily } from '@pullwire/shared/metrics';
import type { PullAudit } from '../pull/agent-pull.ts';

/** What became of the pulls at one source since the agent started, or since the source came into the configuration. */
export interface SourceUse {
  readonly source: string;
  readonly pulls: number;
  /** By outcome, as in the audit line. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** Of replies. */
  readonly bytes: number;
  /** Undefined: it was never asked. */
  readonly last: SourceLastUse | undefined;
}

export interface SourceLastUse {
  /** When it ended, by this device's clock: ISO 8601. */
  readonly at: string;
  readonly outcome: string;
  /** Of the reply, where there was one. */
  readonly status: number | undefined;
  readonly ms: number;
}

/** Whatever a relay says, no other one is counted. */
const knownOutcomes: ReadonlySet<string> = new Set([
  'done',
  'link-lost',
  ...cancelReasons,
  ...Object.keys(errorCodes),
]);

/** Pulls for what the device does not have: no name of a source begins so. */
const noSource = '-';

/** Counts the pulls by source and outcome. Sources come from the configuration: nobody outside can make these grow. */
export class SourceTally {
  readonly #clock: Clock;
  readonly #none = new SourceCount();
  #counts: ReadonlyMap<string, SourceCount> = new Map();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** These are the sources from now on; what is known of those that stay stays. */
  use(names: readonly string[]): void {
    this.#counts = new Map(
      names.map((name) => [name, this.#counts.get(name) ?? new SourceCount()]),
    );
  }

  /** A pull has ended. */
  note(line: PullAudit): void {
    (this.#counts.get(line.source) ?? this.#none).note(line, this.#clock.wall());
  }

  snapshot(): readonly SourceUse[] {
    return [...this.#counts].map(([source, count]) => count.snapshot(source));
  }

  metrics(): MetricFamily[] {
    const all = [
      ...this.#counts,
      ...(this.#none.pulls > 0 ? [[noSource, this.#none] as const] : []),
    ];
    return [
      {
        type: 'counter',
        name: 'pullwire_agent_pulls_total',
        help: 'Pulls that ended, by source ("-": one that the device does not have) and outcome (docs/errors.md).',
        samples: all.flatMap(([source, count]) => count.outcomeSamples(source)),
      },
      {
        type: 'histogram',
        name: 'pullwire_agent_pull_duration_seconds',
        help: 'From the frame that asks to the last of the reply.',
        samples: all.flatMap(([source, count]) => count.duration.samples({ source })),
      },
      {
        type: 'counter',
        name: 'pullwire_agent_pull_reply_bytes_total',
        help: 'Bytes of reply bodies.',
        samples: all.map(([source, count]) => ({ labels: { source }, value: count.bytes })),
      },
    ];
  }
}

class SourceCount {
  readonly duration = new Histogram();
  readonly #outcomes = new Map<string, number>();
  pulls = 0;
  bytes = 0;
  #endedAt = 0;
  #last: PullAudit | undefined;

  note(line: PullAudit, wall: number): void {
    const outcome = outcomeOf(line);
    this.pulls += 1;
    this.bytes += line.bytes;
    this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1);
    this.duration.count(line.ms / 1_000);
    this.#endedAt = wall;
    this.#last = line;
  }

  snapshot(source: string): SourceUse {
    const { pulls, bytes } = this;
    const outcomes = Object.fromEntries(this.#outcomes);
    return { source, pulls, outcomes, bytes, last: this.#last && this.#lastUse(this.#last) };
  }

  outcomeSamples(source: string) {
    return [...this.#outcomes].map(([outcome, value]) => ({ labels: { source, outcome }, value }));
  }

  #lastUse(line: PullAudit): SourceLastUse {
    const { status, ms } = line;
    return { at: new Date(this.#endedAt).toISOString(), outcome: outcomeOf(line), status, ms };
  }
}

const outcomeOf = ({ outcome }: PullAudit): string =>
  knownOutcomes.has(outcome) ? outcome : 'other';
