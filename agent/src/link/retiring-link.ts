import type { Clock, Timer } from '@pullwire/shared';
import type { PullReceiver } from '../pull/pull-link.ts';
import type { Link } from './link.ts';

export interface RetiringLinkOptions {
  readonly link: Link;
  readonly receiver: Pick<PullReceiver, 'inFlightOn'>;
  readonly clock: Clock;
}

/**
 * Without a pull for this long, a link that has a successor is closed. On one box nothing is sent down it from the
 * moment on in which its successor was welcomed; behind a gateway a relay may believe for 10 s that it is the device's
 * link, and ask for a reply again until 30 s after its end (PROTOCOL.md, "Features", `resend`).
 */
const quietMs = { direct: 2_000, resending: 45_000 };
const looks = 4;

/** A link that has a successor: takes no new pulls by its own word, answers those that come all the same, and ends. */
export class RetiringLink {
  readonly link: Link;
  readonly #options: RetiringLinkOptions;
  readonly #quietMs: number;
  #busyAt: number;
  #look: Timer | undefined;

  constructor(options: RetiringLinkOptions) {
    this.#options = options;
    this.link = options.link;
    this.#quietMs = options.link.features.resend ? quietMs.resending : quietMs.direct;
    this.#busyAt = options.clock.monotonic();
  }

  start(): void {
    this.link.drain();
    this.#wait();
  }

  stop(): void {
    this.#look?.cancel();
  }

  #wait(): void {
    this.#look = this.#options.clock.after(this.#quietMs / looks, () => void this.#lookAgain());
  }

  async #lookAgain(): Promise<void> {
    const { receiver, clock } = this.#options;
    const now = clock.monotonic();
    if (this.link.state === 'closed') return;
    if (receiver.inFlightOn(this.link) > 0) this.#busyAt = now;
    const busyAt = Math.max(this.#busyAt, this.link.pulledAt);
    if (now - busyAt < this.#quietMs) return this.#wait();
    await this.link.flushed();
    this.link.bye('drained');
  }
}
