import type { Clock } from '@pullwire/shared';

export interface ReturningDevicesOptions {
  readonly clock: Clock;
  /** Milliseconds after the start during which a device that had a link before may be on its way. */
  readonly withinMs: number;
  /** Pulls that wait at most. */
  readonly most: number;
}

/** Devices whose links the relay before this one held: for a moment after the start, a pull waits for them. */
export class ReturningDevices {
  readonly #options: ReturningDevicesOptions;
  readonly #until: number;
  readonly #waiting = new Map<string, Set<() => void>>();
  /** Those that were here meanwhile: one that went again is not on its way. */
  readonly #seen = new Set<string>();
  #size = 0;

  constructor(options: ReturningDevicesOptions) {
    this.#options = options;
    this.#until = options.clock.monotonic() + options.withinMs;
  }

  /** Pulls that wait. */
  get size(): number {
    return this.#size;
  }

  /** Resolves when the device has a link, or when nothing is to be waited for; undefined where that is so at once. */
  wait(device: string, withinMs: number): Promise<void> | undefined {
    const { clock, most } = this.#options;
    const ms = Math.min(withinMs, this.#until - clock.monotonic());
    if (ms <= 0 || this.#size >= most || this.#seen.has(device)) return undefined;
    return new Promise((resolve) => {
      const done = () => {
        timer.cancel();
        this.#forget(device, done);
        resolve();
      };
      const timer = clock.after(ms, done);
      this.#remember(device, done);
    });
  }

  /** The device has a link. */
  linked(device: string): void {
    if (this.#options.clock.monotonic() < this.#until) this.#seen.add(device);
    else this.#seen.clear();
    for (const done of [...(this.#waiting.get(device) ?? [])]) done();
  }

  #remember(device: string, done: () => void): void {
    this.#size += 1;
    const waiting = this.#waiting.get(device);
    if (waiting === undefined) this.#waiting.set(device, new Set([done]));
    else waiting.add(done);
  }

  #forget(device: string, done: () => void): void {
    const waiting = this.#waiting.get(device);
    if (waiting?.delete(done) !== true) return;
    this.#size -= 1;
    if (waiting.size === 0) this.#waiting.delete(device);
  }
}
