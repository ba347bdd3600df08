import type { Clock, Timer } from '@pullwire/shared';

/** How long a jump of the clock may go unnoticed. */
const lookMs = 10_000;
/** Less than this is a clock that is kept right (NTP slews by at most 0.5 ms a second). */
const jumpMs = 1_500;

/** Notices that this device's clock was set, or that the device slept: its timers do not. */
export class ClockWatch {
  readonly #clock: Clock;
  readonly #jumped: (byMs: number) => void;
  #offset = 0;
  #timer: Timer | undefined;

  /** `jumped`: the clock is ahead by this much of where it would be, in milliseconds. */
  constructor(clock: Clock, jumped: (byMs: number) => void) {
    this.#clock = clock;
    this.#jumped = jumped;
  }

  start(): void {
    this.#offset = this.#read();
    this.#wait();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #wait(): void {
    this.#timer = this.#clock.after(lookMs, () => {
      const offset = this.#read();
      const byMs = Math.round(offset - this.#offset);
      this.#offset = offset;
      if (Math.abs(byMs) > jumpMs) this.#jumped(byMs);
      this.#wait();
    });
  }

  #read(): number {
    return this.#clock.wall() - this.#clock.monotonic();
  }
}
