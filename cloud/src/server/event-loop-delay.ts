import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Clock, Timer } from '@pullwire/shared';
import { Histogram, type MetricFamily } from '@pullwire/shared/metrics';

/** How late the event loop was since the last report, in milliseconds. */
export interface EventLoopReport {
  readonly maxMs: number;
  readonly p99Ms: number;
}

/** Seconds. */
const lateBounds = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
const tickMs = 50;
const resolution = 10;

/** How late this process is with what it has to do: for the log, and for whoever lets in more work. */
export class EventLoopDelay {
  readonly #clock: Clock;
  readonly #histogram = monitorEventLoopDelay({ resolution });
  /** How late each timer was since the start, in seconds. */
  readonly #lateness = new Histogram(lateBounds);
  #timer: Timer | undefined;
  #dueAt = 0;
  #lateMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  start(): void {
    this.#histogram.enable();
    this.#wait();
  }

  stop(): void {
    this.#histogram.disable();
    this.#timer?.cancel();
  }

  /** How late the last timer came, or the next one is by now. */
  get lateMs(): number {
    return Math.max(this.#lateMs, this.#clock.monotonic() - this.#dueAt);
  }

  /** Begins anew. */
  report(): EventLoopReport {
    const { max, count } = this.#histogram;
    const p99 = this.#histogram.percentile(99);
    this.#histogram.reset();
    return count === 0 ? { maxMs: 0, p99Ms: 0 } : { maxMs: lateness(max), p99Ms: lateness(p99) };
  }

  metrics(): MetricFamily {
    return {
      type: 'histogram',
      name: 'pullwire_relay_event_loop_lag_seconds',
      help: 'How late a timer came, looked at 20 times a second.',
      samples: this.#lateness.samples(),
    };
  }

  #wait(): void {
    this.#dueAt = this.#clock.monotonic() + tickMs;
    this.#timer = this.#clock.after(tickMs, () => {
      this.#lateMs = this.#clock.monotonic() - this.#dueAt;
      this.#lateness.count(this.#lateMs / 1_000);
      this.#wait();
    });
  }
}

/** The histogram counts the whole time between two looks, in nanoseconds. */
function lateness(nanoseconds: number): number {
  return Math.max(0, Math.round(nanoseconds / 1e5 - resolution * 10) / 10);
}
