import type { OfferedKey, Rotated } from '@pullwire/shared';

export interface OfferedKeysOptions {
  /** Notes the key, or says why not. May reject: then nothing is answered, and the agent offers it again. */
  offer(offered: OfferedKey): Promise<Rotated>;
  answer(rotated: Rotated): void;
  failed(error: unknown): void;
}

/**
 * The keys that one link offers: one at a time, and of those that come meanwhile the last one. Each costs reads and
 * writes of the registry, which a stolen device must not take from the others.
 */
export class OfferedKeys {
  readonly #options: OfferedKeysOptions;
  #busy = false;
  #waiting: OfferedKey | undefined;

  constructor(options: OfferedKeysOptions) {
    this.#options = options;
  }

  take(offered: OfferedKey): void {
    this.#waiting = offered;
    if (!this.#busy) void this.#run();
  }

  async #run(): Promise<void> {
    this.#busy = true;
    for (let offered = this.#waiting; offered !== undefined; offered = this.#waiting) {
      this.#waiting = undefined;
      try {
        this.#options.answer(await this.#options.offer(offered));
      } catch (error) {
        this.#options.failed(error);
      }
    }
    this.#busy = false;
  }
}
