import type { Clock } from '@pullwire/shared';

/** What a path is known to hold when nothing moves on it; kept over restarts. */
export interface KnownPath {
  /** The longest silence that an answer came after, in milliseconds; 0: none yet. */
  readonly goodMs: number;
  /** The shortest silence that it did not hold, and when that was (epoch milliseconds). */
  readonly bad?: { readonly ms: number; readonly at: number } | undefined;
}

/** Milliseconds: never below `floorMs`, at first `startMs`, never above `maxMs`. */
export interface PaceBounds {
  readonly floorMs: number;
  readonly startMs: number;
  readonly maxMs: number;
}

/** How a silence ended a link: an answer was missing after it, or the link was closed in the middle of it. */
export type SilenceEnd = 'unanswered' | 'closed';

/** A step upwards; also as near as a silence that held comes to one that did not. */
const step = 1.5;
/** While nothing has held yet, steps down are long: each costs a link. */
const stepDown = 3;
/** Timers are not exact: within this factor two silences are the same one. */
const same = 1.02;
/** Answers at one interval before a longer one is tried. */
const proofsForStep = 2;
/** The device may have moved: what did not hold is tried again. */
const forgetMs = 86_400_000;

/**
 * Learns how long a path stays open while nothing moves on it: tries longer silences step by step, falls back where one
 * ends the link, and halves what lies between. A lone loss can be anything, so that it takes two in a row to doubt a
 * silence that has held before, or one in which the link was closed.
 */
export class IdlePath {
  readonly #clock: Clock;
  readonly #changed: (known: KnownPath) => void;
  #known: KnownPath;
  #proofs = 0;
  /** The loss that may have been chance. */
  #doubt: number | undefined;

  /** `changed` is told of all that is worth keeping. */
  constructor(clock: Clock, known: KnownPath, changed: (known: KnownPath) => void) {
    this.#clock = clock;
    this.#known = known;
    this.#changed = changed;
  }

  get known(): KnownPath {
    return this.#known;
  }

  /** For how long the link may be silent now. */
  interval(bounds: PaceBounds): number {
    const { floorMs, maxMs } = bounds;
    return Math.round(Math.max(floorMs, Math.min(maxMs, this.#wanted(bounds))));
  }

  /** An answer came after a silence of `ms`. */
  held(ms: number): void {
    const { goodMs, bad } = this.#known;
    if (this.#doubt !== undefined && ms >= this.#doubt * 0.9) this.#doubt = undefined;
    if (ms < goodMs * 0.9) return;
    if (ms <= goodMs * same) {
      this.#proofs += 1;
      return;
    }
    this.#learn({ goodMs: ms, bad: bad !== undefined && bad.ms * same >= ms ? bad : undefined });
    this.#proofs = 1;
  }

  /** A silence of `ms` ended the link. */
  lost(ms: number, end: SilenceEnd): void {
    const { goodMs } = this.#known;
    const isSure = end === 'unanswered' && ms > goodMs * same;
    if (!isSure && this.#doubt === undefined) {
      this.#doubt = ms;
      return;
    }
    this.#doubt = undefined;
    const shortest = Math.min(ms, this.#bad()?.ms ?? ms);
    const bad = { ms: shortest, at: this.#clock.wall() };
    this.#learn({ goodMs: goodMs < shortest ? goodMs : 0, bad });
  }

  #wanted({ floorMs, startMs }: PaceBounds): number {
    const { goodMs } = this.#known;
    const bad = this.#bad();
    if (goodMs === 0) return bad === undefined ? startMs : bad.ms / stepDown;
    const mayGrow = this.#proofs >= proofsForStep;
    if (bad === undefined) return Math.max(mayGrow ? goodMs * step : goodMs, startMs);
    const isNear = bad.ms <= Math.max(goodMs, floorMs) * step;
    return mayGrow && !isNear ? Math.sqrt(goodMs * bad.ms) : goodMs;
  }

  #bad(): KnownPath['bad'] {
    const { bad } = this.#known;
    if (bad === undefined) return undefined;
    const age = this.#clock.wall() - bad.at;
    // A clock that was set back must not keep it for ever.
    return age >= 0 && age < forgetMs ? bad : undefined;
  }

  #learn(known: KnownPath): void {
    this.#known = known;
    this.#proofs = 0;
    this.#changed(known);
  }
}
