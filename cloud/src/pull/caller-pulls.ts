import { PullFault } from '@pullwire/shared';

/** Counts the pulls that are in flight for each caller, so that one cannot take the relay from the others. */
export class CallerPulls {
  readonly #limit: number;
  readonly #inFlight = new Map<string, number>();

  constructor(limit = Number.POSITIVE_INFINITY) {
    this.#limit = limit;
  }

  /** Callers that have any. */
  get size(): number {
    return this.#inFlight.size;
  }

  /** Throws `PullFault` `caller-busy` where the caller has as many as it may. */
  check(caller: string): void {
    const inFlight = this.#inFlight.get(caller) ?? 0;
    if (inFlight < this.#limit) return;
    throw new PullFault('caller-busy', 'lookup', {
      detail: `${inFlight} pulls of this caller are already in flight (limits.pullsPerCaller)`,
      retryAfterMs: 1_000,
    });
  }

  began(caller: string): void {
    this.#inFlight.set(caller, (this.#inFlight.get(caller) ?? 0) + 1);
  }

  /** Told once for each that began. */
  ended(caller: string): void {
    const left = (this.#inFlight.get(caller) ?? 0) - 1;
    if (left > 0) this.#inFlight.set(caller, left);
    else this.#inFlight.delete(caller);
  }
}
