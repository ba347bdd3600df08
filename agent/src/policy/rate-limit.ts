export interface Rate {
  /** Pulls a second, in the long run; may be a fraction. */
  readonly perSecond: number;
  /** Pulls at once after a quiet time; at least 1. */
  readonly burst: number;
}

/** A token bucket, its content counted in ms: a token is the time in which one grows. `now` is monotonic, in ms. */
export class RateLimit {
  readonly #tokenMs: number;
  readonly #fullMs: number;
  readonly #now: () => number;
  #contentMs: number;
  #filledAt: number;

  constructor(rate: Rate, now: () => number) {
    this.#tokenMs = 1_000 / rate.perSecond;
    this.#fullMs = rate.burst * this.#tokenMs;
    this.#now = now;
    this.#contentMs = this.#fullMs;
    this.#filledAt = now();
  }

  /** Takes a token: 0, or where there is none, the whole milliseconds until there will be one. */
  take(): number {
    const now = this.#now();
    this.#contentMs = Math.min(this.#fullMs, this.#contentMs + now - this.#filledAt);
    this.#filledAt = now;
    if (this.#contentMs < this.#tokenMs) return Math.ceil(this.#tokenMs - this.#contentMs);
    this.#contentMs -= this.#tokenMs;
    return 0;
  }
}
