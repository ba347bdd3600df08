import type { Clock } from '@pullwire/shared';
import { prng } from './prng.ts';

export interface HopOptions {
  readonly clock: Clock;
  /** Milliseconds on the clock that each passage takes. */
  readonly delayMs: number;
  /** Undefined: in order, once each. */
  readonly seed: number | undefined;
}

/** The most turns of the event loop, and the most real milliseconds, that a seed adds to a passage. */
const mostTurns = 24;
const mostRealMs = 3;

/**
 * One way over the network. A seed makes passages late by a few turns or milliseconds, so that they overtake each
 * other, and makes some messages arrive twice.
 */
export class Hop {
  readonly #clock: Clock;
  readonly #delayMs: number;
  readonly #random: (() => number) | undefined;

  constructor({ clock, delayMs, seed }: HopOptions) {
    this.#clock = clock;
    this.#delayMs = delayMs;
    this.#random = seed === undefined ? undefined : prng(seed);
  }

  /** Whether a chance of `probability` came up; never without a seed. */
  chance(probability: number): boolean {
    return this.#random !== undefined && this.#random() < probability;
  }

  /** Resolves on arrival. */
  async pass(): Promise<void> {
    if (this.#delayMs > 0) {
      await new Promise<void>((resolve) => {
        this.#clock.after(this.#delayMs, resolve);
      });
    }
    await this.#wander();
  }

  /** When each copy of a message arrives: mostly one, with a seed sometimes two. */
  message(): Promise<void>[] {
    return this.chance(0.15) ? [this.pass(), this.pass()] : [this.pass()];
  }

  async #wander(): Promise<void> {
    const random = this.#random;
    if (random === undefined || random() < 0.4) return;
    if (random() < 0.2) {
      // Real milliseconds, few: turns alone are too short to overtake what comes over another socket.
      const ms = Math.ceil(random() * mostRealMs);
      await new Promise((resolve) => setTimeout(resolve, ms));
      return;
    }
    for (let turns = Math.ceil(random() * mostTurns); turns > 0; turns -= 1) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
