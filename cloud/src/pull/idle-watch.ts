import type { Clock, Timer } from '@pullwire/shared';

/** A pull that may be ended for standing still. */
export interface IdleEnds {
  endIfIdle(before: number): void;
}

export interface IdleWatchOptions {
  readonly clock: Clock;
  readonly idleMs: number;
  pulls(): Iterable<IdleEnds>;
}

/** Ends replies that have stood still: one timer for all, so that a pull costs none. */
export class IdleWatch {
  readonly #options: IdleWatchOptions;
  #timer: Timer | undefined;

  constructor(options: IdleWatchOptions) {
    this.#options = options;
  }

  start(): void {
    const { clock, idleMs, pulls } = this.#options;
    this.#timer = clock.after(Math.min(1_000, idleMs / 4), () => {
      const before = clock.monotonic() - idleMs;
      for (const pull of [...pulls()]) pull.endIfIdle(before);
      this.start();
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }
}
