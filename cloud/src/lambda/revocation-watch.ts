import { type CancelReason, type Clock, PullFault, type Timer } from '@pullwire/shared';

/** A pull that runs, as far as it goes on by its device's leave. */
export interface GrantedPull {
  readonly device: string;
  giveUp(fault: PullFault, reason: CancelReason): void;
}

export interface RevocationWatchOptions {
  readonly clock: Clock;
  pulls(): Iterable<GrantedPull>;
  /** Whether the device may be pulled from, as the registry said lately. Rejects where that cannot be told. */
  stands(device: string): Promise<boolean>;
  /** Takes care of a look that is under way. */
  track(work: Promise<unknown>): void;
}

/**
 * Milliseconds between two looks. What the registry said is read again when it is 5 s old, behind the answer: so a
 * revocation is seen by the third look (DESIGN.md, "Decisions" 4: within 10 s).
 */
const everyMs = 3_000;

/** Ends pulls that are under way when their device is revoked or removed: nobody tells this function. */
export class RevocationWatch {
  readonly #options: RevocationWatchOptions;
  #timer: Timer | undefined;

  constructor(options: RevocationWatchOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = this.#options.clock.after(everyMs, () => {
      for (const device of new Set([...this.#options.pulls()].map((pull) => pull.device))) {
        this.#options.track(this.#look(device));
      }
      this.start();
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }

  async #look(device: string): Promise<void> {
    const { pulls, stands } = this.#options;
    const goesOn = await stands(device).catch(() => true); // the next look, or the pull's own limits
    if (goesOn) return;
    const detail = 'the link to the device was lost (revoked)';
    for (const pull of [...pulls()]) {
      if (pull.device !== device) continue;
      pull.giveUp(new PullFault('link-lost', 'stream', { detail }), 'relay');
    }
  }
}
