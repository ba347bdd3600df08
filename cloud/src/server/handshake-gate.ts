import { type Clock, PullFault } from '@pullwire/shared';

export interface HandshakeGateOptions {
  readonly clock: Clock;
  /** Handshakes under way at most. */
  readonly most: number;
  /** How late the event loop is, in milliseconds. */
  lateMs(): number;
  /** The first one is turned away after a while in which none was. */
  shedding(state: { readonly underWay: number; readonly lateMs: number }): void;
}

/** A loop that is later than this serves pulls and links first. */
const lateLimitMs = 100;
/** So many go on even then: a relay that is always late must not lose its fleet. */
const fewest = 8;
/** How often the pace is taken. */
const paceMs = 500;
/** Until the pace is known. */
const guessedMs = 4;
/** No single handshake is taken for slower: a registry that hangs must not send the fleet away for an hour. */
const slowestMs = 20;
/** Nobody is sent away for longer. */
const longestMs = 30_000;
/** After so long without it, shedding is worth a word again. */
const quietMs = 10_000;

/**
 * How many agents are let in at a time. Whoever comes when it is full is told when to come again: a turn is given to each,
 * as far apart as handshakes take at present, so that a fleet that lost its relay comes back no faster than it can be
 * let in. Constant work, before anything of the handshake is looked at.
 */
export class HandshakeGate {
  readonly #options: HandshakeGateOptions;
  #underWay = 0;
  #handshakeMs = guessedMs;
  #paceFrom = 0;
  #passed = 0;
  /** The turn that was given last, by the monotonic clock. */
  #lastTurn = Number.NEGATIVE_INFINITY;
  #lastShed = Number.NEGATIVE_INFINITY;

  constructor(options: HandshakeGateOptions) {
    this.#options = options;
  }

  get underWay(): number {
    return this.#underWay;
  }

  /** Throws `PullFault` `relay-overloaded`; whoever came in calls `leave` once. */
  enter(): void {
    const { most, lateMs } = this.#options;
    const full = this.#underWay >= most;
    if (full || (this.#underWay >= fewest && lateMs() > lateLimitMs)) throw this.#shed();
    this.#underWay += 1;
  }

  leave(): void {
    this.#underWay -= 1;
    this.#passed += 1;
    const now = this.#options.clock.monotonic();
    const sinceMs = now - this.#paceFrom;
    if (sinceMs < paceMs) return;
    // Without a queue the pace is that of those who come, and says nothing.
    if (this.#lastShed >= this.#paceFrom) {
      const measured = Math.min(slowestMs, sinceMs / this.#passed);
      this.#handshakeMs = (this.#handshakeMs + measured) / 2;
    }
    this.#paceFrom = now;
    this.#passed = 0;
  }

  #shed(): PullFault {
    const { clock, shedding, lateMs } = this.#options;
    const now = clock.monotonic();
    if (now - this.#lastShed > quietMs) {
      this.#paceFrom = now;
      this.#passed = 0;
      shedding({ underWay: this.#underWay, lateMs: Math.round(lateMs()) });
    }
    this.#lastShed = now;
    const first = now + this.#underWay * this.#handshakeMs;
    this.#lastTurn = Math.min(now + longestMs, Math.max(first, this.#lastTurn + this.#handshakeMs));
    return new PullFault('relay-overloaded', 'lookup', {
      detail: 'more agents dial than the relay can let in at once',
      retryAfterMs: Math.ceil(this.#lastTurn - now),
    });
  }
}
