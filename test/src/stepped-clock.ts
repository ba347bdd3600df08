import type { Clock, Timer } from '@pullwire/shared';
import { ManualClock } from '@pullwire/shared/manual-clock';

/** The test moves it, an hour in no time; its day is today's, since tokens and certificates are checked by it. */
export class SteppedClock implements Clock {
  readonly #manual = new ManualClock();
  readonly #startedAt = Date.now();

  monotonic(): number {
    return this.#manual.monotonic();
  }

  wall(): number {
    return this.#startedAt + this.#manual.wall();
  }

  after(ms: number, run: () => void): Timer {
    return this.#manual.after(ms, run);
  }

  /** In steps; before each the test may wait for what the one before it has set going. */
  async advance(ms: number, stepMs: number, settled: () => Promise<unknown>): Promise<void> {
    for (let at = 0; at < ms; at += stepMs) {
      await settled();
      this.#manual.advance(stepMs);
    }
    await settled();
  }
}
