import type { Clock, Held, Timer } from '@pullwire/shared';
import type { Logger } from 'pino';

export interface ReadingHoldParts {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** That no readings go for now, by the relay's word. */
export interface HoldSnapshot {
  /** Epoch milliseconds, by this device's clock. */
  readonly until: number;
  readonly code: string;
  /** For people. */
  readonly detail: string;
}

/** A device over its bound is held back again and again: so often the log says it (milliseconds). */
const linesEveryMs = 3_600_000;

/** The time for which the relay wants no readings on a link (PROTOCOL.md, "Features", `hold`). */
export class ReadingHold {
  readonly #parts: ReadingHoldParts;
  #timer: Timer | undefined;
  #now: HoldSnapshot | undefined;
  #saidAt = Number.NEGATIVE_INFINITY;

  constructor(parts: ReadingHoldParts) {
    this.#parts = parts;
  }

  /** Undefined where readings may go. */
  get now(): HoldSnapshot | undefined {
    return this.#now;
  }

  /** Takes the place of a hold that is on; `over` is called when the time has passed, unless `end` was before. */
  begin({ code, detail, retryAfterMs }: Omit<Held, 'action' | 'batch'>, over: () => void): void {
    const { clock } = this.#parts;
    this.#timer?.cancel();
    this.#now = { until: clock.wall() + retryAfterMs, code, detail };
    this.#timer = clock.after(retryAfterMs, () => {
      this.end();
      over();
    });
    this.#say(code, detail, retryAfterMs);
  }

  end(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#now = undefined;
  }

  #say(code: string, detail: string, retryAfterMs: number): void {
    const now = this.#parts.clock.monotonic();
    if (now - this.#saidAt < linesEveryMs) return;
    this.#saidAt = now;
    this.#parts.logger.warn(
      { code, detail, retryAfterMs },
      'the relay holds readings back: they wait in the spool and are sent later; pulls go on',
    );
  }
}
