import type { Clock, Timer } from '@pullwire/shared';
import type { GatewaySwitches } from './gateway-switches.ts';

type LifeLimits = Pick<GatewaySwitches, 'idleMs' | 'lifeMs'>;

/** How long a connection may live: 10 minutes after its last message, and 2 hours in all unless told. */
export class ConnectionLife {
  /** Epoch milliseconds. */
  lastActiveAt: number;
  readonly #clock: Clock;
  readonly #limits: LifeLimits;
  readonly #over: () => void;
  #lastActive: number;
  #idle: Timer | undefined;
  #whole: Timer | undefined;

  /** `over` is called once, when either time is out. */
  constructor(clock: Clock, limits: LifeLimits, over: () => void) {
    this.#clock = clock;
    this.#limits = limits;
    this.#over = over;
    this.lastActiveAt = clock.wall();
    this.#lastActive = clock.monotonic();
  }

  start(): void {
    this.touch();
    this.#whole = this.#clock.after(this.#limits.lifeMs, this.#over);
    this.#watchIdle(this.#limits.idleMs);
  }

  touch(): void {
    this.lastActiveAt = this.#clock.wall();
    this.#lastActive = this.#clock.monotonic();
  }

  stop(): void {
    this.#idle?.cancel();
    this.#whole?.cancel();
  }

  #watchIdle(ms: number): void {
    this.#idle = this.#clock.after(ms, () => {
      const left = this.#lastActive + this.#limits.idleMs - this.#clock.monotonic();
      if (left > 0) this.#watchIdle(left);
      else this.#over();
    });
  }
}
