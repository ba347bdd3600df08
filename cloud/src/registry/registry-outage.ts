import type { Clock, Timer } from '@pullwire/shared';
import { RegistryError } from './registry-error.ts';

export interface RegistryOutageOptions {
  readonly clock: Clock;
  /** One call to the registry; resolves where it answered at all. */
  probe(): Promise<unknown>;
  began(error: Error): void;
  /** After so many milliseconds. */
  ended(lastedMs: number): void;
}

/** Between two probes (milliseconds). */
const probeMs = 1_000;

/**
 * Knows whether the registry answers. Once a call got no answer nobody else waits for one: calls fail at once, and a probe
 * a second tells when it is over. So an outage costs each caller a moment, and holds no memory however long it lasts.
 */
export class RegistryOutage {
  readonly #options: RegistryOutageOptions;
  #error: RegistryError | undefined;
  #since = 0;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(options: RegistryOutageOptions) {
    this.#options = options;
  }

  /** Undefined while the registry answers. */
  get error(): Error | undefined {
    return this.#error;
  }

  /** Throws `RegistryError` `unavailable` while the registry does not answer. */
  check(): void {
    if (this.#error !== undefined) throw this.#error;
  }

  /** A call got no answer. */
  noAnswer(cause: Error): void {
    if (this.#error !== undefined || this.#stopped) return;
    const reason = 'code' in cause ? String(cause.code) : cause.name;
    this.#error = new RegistryError(
      'unavailable',
      `the registry does not answer: ${reason}`,
      cause,
    );
    this.#since = this.#options.clock.monotonic();
    this.#options.began(this.#error);
    this.#probeLater();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #probeLater(): void {
    this.#timer = this.#options.clock.after(probeMs, () => void this.#probe());
  }

  async #probe(): Promise<void> {
    try {
      await this.#options.probe();
    } catch {
      if (!this.#stopped) this.#probeLater();
      return;
    }
    this.#error = undefined;
    this.#options.ended(Math.round(this.#options.clock.monotonic() - this.#since));
  }
}
