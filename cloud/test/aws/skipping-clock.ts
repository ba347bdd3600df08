import { type Clock, systemClock, type Timer } from '@pullwire/shared';

/** The system's clock, that a test can set forward; its timers are due ten times as soon. */
export class SkippingClock implements Clock {
  #ahead = 0;

  skip(ms: number): void {
    this.#ahead += ms;
  }

  monotonic(): number {
    return systemClock.monotonic() + this.#ahead;
  }

  wall(): number {
    return systemClock.wall() + this.#ahead;
  }

  after(ms: number, run: () => void): Timer {
    return systemClock.after(ms / 10, run);
  }
}
