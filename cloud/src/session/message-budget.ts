import type { Clock } from '@pullwire/shared';

/** Messages at once, and for each second: far more than an honest agent says that no pull asked for. */
const burst = 500;
const perSecond = 100;

/** A pull that ends early leaves frames on their way: its window, and what controls it. */
const perPull = 64;
const most = 65_536;

/**
 * How many messages a link may bring that no pull needs: strays, repeated greetings, keep-alives, unknown actions, pings.
 * A stolen device's agent must not take the relay's time from the others.
 */
export class MessageBudget {
  readonly #clock: Clock;
  #left = burst;
  #at: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#at = clock.monotonic();
  }

  /** A pull went out on the link: what comes late for it is no fault. */
  pullBegan(): void {
    this.#left = Math.min(most, this.#left + perPull);
  }

  /** Such a message has come, which counts for `messages`; false where it is one too many. */
  spend(messages = 1): boolean {
    this.#refill();
    if (this.#left < messages) return false;
    this.#left -= messages;
    return true;
  }

  #refill(): void {
    const now = this.#clock.monotonic();
    const earned = ((now - this.#at) / 1_000) * perSecond;
    this.#at = now;
    // What pulls have brought is kept; time alone fills up to the burst.
    if (this.#left < burst) this.#left = Math.min(burst, this.#left + earned);
  }
}
