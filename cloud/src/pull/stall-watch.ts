import type { Clock, Timer } from '@pullwire/shared';

/** What is due from an agent: a frame `earlier` than one that came, or `more` of the reply. */
export type Due = 'earlier' | 'more';

/** A pull whose frames can be lost on their way. */
export interface StalledPull {
  /** Undefined: nothing, or nobody knows when. */
  readonly due: Due | undefined;
  /** Another number whenever something of what is due has come. */
  readonly position: number;
  /** Asks the agent to send again what has not come. */
  askAgain(): void;
}

export interface StallWatchOptions {
  readonly clock: Clock;
  pulls(): Iterable<StalledPull>;
}

interface Seen {
  readonly due: Due;
  readonly position: number;
  readonly since: number;
  asks: number;
}

/**
 * Milliseconds before the first question; each next one waits twice as long. A gap tells of a loss, silence may be a slow
 * source or a thin line, which every question costs.
 */
const askAfterMs: Readonly<Record<Due, number>> = { earlier: 1_000, more: 5_000 };
const lookMs = 500;

/**
 * Has pulls ask for what may have been lost, where nobody says that it was (PROTOCOL.md, "Features", `resend`). Where
 * nothing was, the agent has nothing to say; where its link is gone, the question finds out.
 */
export class StallWatch {
  readonly #options: StallWatchOptions;
  readonly #seen = new WeakMap<StalledPull, Seen>();
  #timer: Timer | undefined;

  constructor(options: StallWatchOptions) {
    this.#options = options;
  }

  start(): void {
    const { clock, pulls } = this.#options;
    this.#timer = clock.after(lookMs, () => {
      for (const pull of [...pulls()]) this.#look(pull);
      this.start();
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #look(pull: StalledPull): void {
    const { due, position } = pull;
    if (due === undefined) return;
    const now = this.#options.clock.monotonic();
    const seen = this.#seen.get(pull);
    if (seen === undefined || seen.due !== due || seen.position !== position) {
      this.#seen.set(pull, { due, position, since: now, asks: 0 });
    } else if (now - seen.since >= askAfterMs[due] * (2 ** (seen.asks + 1) - 1)) {
      seen.asks += 1;
      pull.askAgain();
    }
  }
}
