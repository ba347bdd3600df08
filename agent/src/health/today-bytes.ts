import type { Clock, Timer } from '@pullwire/shared';

/** Bytes over the agent's links, in all. */
export interface MovedBytes {
  readonly bytesIn: number;
  readonly bytesOut: number;
}

export interface TodaySnapshot extends MovedBytes {
  /** RFC 3339: midnight, or when this process began, whichever was later. */
  readonly since: string;
}

const dayMs = 86_400_000;
/** A clock that is set is noticed within this time (milliseconds). */
const lookMs = 3_600_000;

/** What moved since midnight, UTC, as status and logs tell times: what a day costs on a metered line. */
export class TodayBytes {
  readonly #clock: Clock;
  readonly #moved: () => MovedBytes;
  #since: number;
  #before: MovedBytes;
  #due: Timer | undefined;

  constructor(clock: Clock, moved: () => MovedBytes) {
    this.#clock = clock;
    this.#moved = moved;
    this.#since = clock.wall();
    this.#before = moved();
  }

  start(): void {
    const leftMs = dayMs - (this.#clock.wall() % dayMs);
    this.#due = this.#clock.after(Math.min(leftMs, lookMs), () => {
      this.#turn();
      this.start();
    });
  }

  stop(): void {
    this.#due?.cancel();
  }

  snapshot(): TodaySnapshot {
    this.#turn();
    const { bytesIn, bytesOut } = this.#moved();
    return {
      since: new Date(this.#since).toISOString(),
      bytesIn: bytesIn - this.#before.bytesIn,
      bytesOut: bytesOut - this.#before.bytesOut,
    };
  }

  /** Another day, also where the clock was set back. */
  #turn(): void {
    const now = this.#clock.wall();
    if (dayOf(now) === dayOf(this.#since)) return;
    this.#since = dayOf(now) * dayMs;
    this.#before = this.#moved();
  }
}

const dayOf = (ms: number): number => Math.floor(ms / dayMs);
