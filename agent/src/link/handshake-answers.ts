import type { Clock } from '@pullwire/shared';
import type { Logger } from 'pino';
import type { LinkKeys } from './link-keys.ts';
import type { LinkEnd } from './redial-policy.ts';
import { type HeardDate, RelayClock } from './relay-clock.ts';
import { TokenRefusals } from './token-refusals.ts';

export interface HandshakeAnswersOptions {
  readonly clock: Clock;
  readonly keys: LinkKeys | undefined;
  readonly logger: Logger;
}

/** A difference that people should know of. */
const noteworthyMs = 30_000;

/** What the relay's answers to the dials teach: its time, and which key is good. */
export class HandshakeAnswers {
  readonly #options: HandshakeAnswersOptions;
  readonly #relayClock: RelayClock;
  readonly #refusals = new TokenRefusals();
  #saidSkew = false;

  constructor(options: HandshakeAnswersOptions) {
    this.#options = options;
    this.#relayClock = new RelayClock(options.clock);
  }

  /** The relay's time, in milliseconds since the epoch. */
  now(): number {
    return this.#relayClock.now();
  }

  /** How far this device's clock is ahead of the relay's, in milliseconds. */
  get clockAheadMs(): number {
    return -this.#relayClock.offsetMs;
  }

  /** The relay answered 101. */
  accepted(heard: HeardDate | undefined): void {
    this.#learn(heard);
  }

  /** The relay said `welcome`. */
  welcomed(): void {
    this.#refusals.accepted();
    void this.#options.keys?.linked();
  }

  /** An attempt ended. Returns whether to dial again at once. */
  ended(end: LinkEnd, heard: HeardDate | undefined): boolean {
    if (end.cause !== 'refused') return false;
    const movedMs = this.#learn(heard);
    if (end.status !== 401) return false;
    const { dialAtOnce, doubtsKey } = this.#refusals.refused(movedMs);
    if (doubtsKey) this.#options.keys?.refused();
    return dialAtOnce;
  }

  #learn(heard: HeardDate | undefined): number | undefined {
    const movedMs = heard && this.#relayClock.learn(heard);
    if (!this.#saidSkew && Math.abs(this.clockAheadMs) > noteworthyMs) {
      this.#saidSkew = true;
      this.#options.logger.warn(
        { clockAheadMs: this.clockAheadMs },
        'this device’s clock is wrong: tokens are made by the relay’s; set the clock',
      );
    }
    return movedMs;
  }
}
