import type { Clock } from '@pullwire/shared';
import { restartedWhy } from '../presence/presence.ts';
import type { OfflineInfo, Patience } from '../pull/pull-target.ts';

/** Milliseconds in which a device may come back, and pulls for it wait. */
export interface ReturnTimes {
  /** After the start: one that was linked to the relay before this one. */
  readonly startMs: number;
  /** After its link was lost. */
  readonly lostMs: number;
  /** The same, for a caller that said itself how long it would wait. */
  readonly askedMs: number;
}

export interface ReturningDevicesOptions {
  readonly clock: Clock;
  readonly times: ReturnTimes;
  /** Pulls that wait at most. */
  readonly most: number;
}

/** The ends of links that nobody wanted: their agents dial again. */
const lostWhys: ReadonlySet<string> = new Set(['link-lost', 'idle']);

/** Devices that went without a word, or with the relay before this one: for a moment a pull waits for them. */
export class ReturningDevices {
  readonly #options: ReturningDevicesOptions;
  readonly #startedAt: number;
  readonly #waiting = new Map<string, Set<() => void>>();
  #size = 0;
  #stopped = false;

  constructor(options: ReturningDevicesOptions) {
    this.#options = options;
    this.#startedAt = options.clock.monotonic();
  }

  /** Pulls that wait. */
  get size(): number {
    return this.#size;
  }

  /** Resolves when the device has a link, or when it is expected no more; undefined where that is so at once. */
  wait(device: string, offline: OfflineInfo, patience: Patience): Promise<void> | undefined {
    const { clock, most } = this.#options;
    const ms = Math.min(patience.leftMs, this.#expectedMs(offline, patience));
    if (ms <= 0 || this.#stopped || this.#size >= most) return undefined;
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
    this.#letGo(device);
  }

  /** Agents dial elsewhere from now on: nobody waits any more. */
  stop(): void {
    this.#stopped = true;
    for (const device of [...this.#waiting.keys()]) this.#letGo(device);
  }

  #expectedMs({ why, since }: OfflineInfo, { isAsked }: Patience): number {
    const { clock, times } = this.#options;
    if (why === restartedWhy) return this.#startedAt + times.startMs - clock.monotonic();
    if (since === undefined || !lostWhys.has(why)) return 0;
    const withinMs = isAsked ? times.askedMs : times.lostMs;
    // A clock that was set back since then makes nobody wait longer.
    return Math.min(withinMs, since + withinMs - clock.wall());
  }

  #letGo(device: string): void {
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
