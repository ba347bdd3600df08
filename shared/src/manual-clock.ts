import type { Clock, Timer } from './clock.ts';

interface Alarm {
  readonly at: number;
  readonly ms: number;
  readonly run: () => void;
}

/** Time in a test: it stands until the test moves it. */
export class ManualClock implements Clock {
  #now = 0;
  readonly #alarms = new Set<Alarm>();
  #waiting: { readonly ms: number; resolve(): void }[] = [];

  monotonic(): number {
    return this.#now;
  }

  wall(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): Timer {
    const alarm = { at: this.#now + ms, ms, run };
    this.#alarms.add(alarm);
    this.#waiting = this.#waiting.filter((waiter) => {
      if (waiter.ms === ms) waiter.resolve();
      return waiter.ms !== ms;
    });
    return { cancel: () => this.#alarms.delete(alarm) };
  }

  /** How many timers run. */
  get pending(): number {
    return this.#alarms.size;
  }

  /** In how many milliseconds the first timer is due; undefined where none runs. */
  get nextInMs(): number | undefined {
    const due = [...this.#alarms].map(({ at }) => at);
    return due.length === 0 ? undefined : Math.max(0, Math.min(...due) - this.#now);
  }

  /** Resolves when a timer of exactly this length runs. */
  timerOf(ms: number): Promise<void> {
    if ([...this.#alarms].some((alarm) => alarm.ms === ms)) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push({ ms, resolve });
    });
  }

  /** Moves on without running anything, as for a process that is stopped: what is due meanwhile runs late. */
  skip(ms: number): void {
    this.#now += ms;
  }

  /** Moves on, and runs what is due on the way, in order. */
  advance(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      const next = [...this.#alarms].sort((a, b) => a.at - b.at)[0];
      if (next === undefined || next.at > until) break;
      this.#now = Math.max(this.#now, next.at);
      this.#alarms.delete(next);
      next.run();
    }
    this.#now = until;
  }
}
