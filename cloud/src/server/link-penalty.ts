import { type Clock, PullFault } from '@pullwire/shared';

const penaltyMs = 60_000;

/** Devices whose link was ended for flooding: they are not let in again at once. */
export class LinkPenalty {
  readonly #clock: Clock;
  readonly #until = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The device's link was ended for what it sent. */
  given(device: string): void {
    const now = this.#clock.monotonic();
    for (const [other, until] of this.#until) if (until <= now) this.#until.delete(other);
    this.#until.set(device, now + penaltyMs);
  }

  /** Throws `PullFault` `too-many-attempts` while the penalty holds. */
  check(device: string): void {
    const leftMs = (this.#until.get(device) ?? 0) - this.#clock.monotonic();
    if (leftMs <= 0) return;
    throw new PullFault('too-many-attempts', 'caller-auth', {
      detail: 'a link of this device was ended because it sent too many messages',
      retryAfterMs: Math.ceil(leftMs),
    });
  }
}
