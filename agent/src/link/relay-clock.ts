import { type Clock, parseHttpDate } from '@pullwire/shared';

/** An answer's `Date`, and when it came. */
export interface HeardDate {
  /** The header's text, as it came. */
  readonly date: string;
  /** By this device's clock, in milliseconds since the epoch. */
  readonly atMs: number;
  /** From the request's last byte to the answer: it was made somewhere in between. */
  readonly roundTripMs: number;
}

/** `Date` counts whole seconds (RFC 9110 §5.6.7): it was made within this time after what it says. */
const resolutionMs = 1_000;
/** What lies outside was made by a clock that knows less than ours. */
const earliest = Date.UTC(2020, 0, 1);
const latest = Date.UTC(2100, 0, 1);

/**
 * The relay's time, as far as its answers tell: this device's own clock, and how far it is off. Clocks of devices are
 * wrong, and tokens are good for minutes. Whoever passes answers in makes sure that they are the relay's own.
 */
export class RelayClock {
  readonly #clock: Clock;
  #offsetMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds since the epoch. */
  now(): number {
    return this.#clock.wall() + this.#offsetMs;
  }

  /** How far the relay's clock is ahead of this device's, in milliseconds. */
  get offsetMs(): number {
    return this.#offsetMs;
  }

  /**
   * Learns from an answer. The clock stays where the answer does not contradict it; else it moves to the middle of what
   * the answer allows. Returns by how many milliseconds it moved; undefined where the answer tells no time.
   */
  learn({ date, atMs, roundTripMs }: HeardDate): number | undefined {
    const madeMs = (parseHttpDate(date, atMs) ?? Number.NaN) * 1_000;
    if (!(madeMs >= earliest && madeMs < latest)) return undefined;
    const least = madeMs - atMs;
    const most = least + resolutionMs + roundTripMs;
    if (this.#offsetMs >= least && this.#offsetMs <= most) return 0;
    const before = this.#offsetMs;
    this.#offsetMs = Math.round((least + most) / 2);
    return this.#offsetMs - before;
  }
}
