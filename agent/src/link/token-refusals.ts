/** What follows from a 401. */
export interface TokenRefusal {
  /** Another dial at once may cure it. */
  readonly dialAtOnce: boolean;
  /** The clock does not explain it: the key may be the wrong one. */
  readonly doubtsKey: boolean;
}

/** By less, no token becomes good or bad. */
const notableMs = 1_000;

/**
 * The 401s since the last link. One that tells another time is answered by a token of that time, at once; so is the
 * first one that tells the time at all, since a relay that restarted refuses tokens made before. Never twice in a row: a
 * relay that does not know the device must not be dialled in a loop.
 */
export class TokenRefusals {
  #count = 0;
  #wasAtOnce = false;

  /** `movedMs`: by how much this answer moved the relay's clock; undefined where it told no time. */
  refused(movedMs: number | undefined): TokenRefusal {
    const movedNotably = movedMs !== undefined && Math.abs(movedMs) >= notableMs;
    const isFirst = this.#count === 0 && movedMs !== undefined;
    const dialAtOnce = !this.#wasAtOnce && (movedNotably || isFirst);
    this.#count += 1;
    this.#wasAtOnce = dialAtOnce;
    return { dialAtOnce, doubtsKey: !(movedNotably && dialAtOnce) };
  }

  /** The relay took a token. */
  accepted(): void {
    this.#count = 0;
    this.#wasAtOnce = false;
  }
}
