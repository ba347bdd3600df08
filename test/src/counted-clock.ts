import { type Clock, systemClock, type Timer } from '@pullwire/shared';

/** The system's clock, running some times as fast; it knows how many of its timers run. */
export class CountedClock implements Clock {
  readonly #speed: number;
  readonly #startedAt = systemClock.wall();
  readonly #timers = new Set<Timer>();

  constructor(speed: number) {
    this.#speed = speed;
  }

  /** How many timers run. */
  get pending(): number {
    return this.#timers.size;
  }

  /** A process that is gone has none. */
  forgetTimers(): void {
    this.#timers.clear();
  }

  monotonic(): number {
    return systemClock.monotonic() * this.#speed;
  }

  wall(): number {
    return this.#startedAt + (systemClock.wall() - this.#startedAt) * this.#speed;
  }

  after(ms: number, run: () => void): Timer {
    const timer = systemClock.after(ms / this.#speed, () => {
      this.#timers.delete(timer);
      run();
    });
    this.#timers.add(timer);
    return {
      cancel: () => {
        timer.cancel();
        this.#timers.delete(timer);
      },
    };
  }
}
