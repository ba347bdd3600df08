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

  /**
   * From one timer to the next, and before each the test waits for what the one before it has set going. Two in one step
   * would meet as they never do: a link would ask, and be closed before the answer can come.
   */
  async advance(ms: number, settled: () => Promise<unknown>): Promise<void> {
    const end = this.monotonic() + ms;
    while (this.monotonic() < end) {
      const leftMs = end - this.monotonic();
      this.#manual.advance(Math.min(this.#manual.nextInMs ?? leftMs, leftMs));
      // What a timer does after its first `await` has begun by then.
      await new Promise((resolve) => setImmediate(resolve));
      await settled();
    }
  }
}
