/** Time as a dependency: tests move it, the processes pass `systemClock`. */
export interface Clock {
  /** Milliseconds that only grow; for durations. */
  monotonic(): number;
  /** Milliseconds since the epoch; for what people and tokens read. */
  wall(): number;
  after(ms: number, run: () => void): Timer;
}

export interface Timer {
  cancel(): void;
}

class SystemTimer implements Timer {
  readonly #handle: NodeJS.Timeout;

  constructor(handle: NodeJS.Timeout) {
    this.#handle = handle;
  }

  cancel(): void {
    clearTimeout(this.#handle);
  }
}

export const systemClock: Clock = {
  monotonic: () => performance.now(),
  wall: () => Date.now(),
  after: (ms, run) => new SystemTimer(setTimeout(run, ms)),
};
