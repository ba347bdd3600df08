import type { Clock, Timer } from '@pullwire/shared';

interface Alarm {
  readonly run: () => void;
}

/**
 * The clock of one Lambda environment. Time goes on while it is frozen, but nothing runs: what falls due meanwhile
 * runs at the thaw, in the order it fell due ("Lambda runtime environment lifecycle").
 */
export class FreezableClock implements Clock {
  readonly #base: Clock;
  #frozen = false;
  #due = new Set<Alarm>();

  constructor(base: Clock) {
    this.#base = base;
  }

  monotonic(): number {
    return this.#base.monotonic();
  }

  wall(): number {
    return this.#base.wall();
  }

  after(ms: number, run: () => void): Timer {
    const alarm = { run };
    const timer = this.#base.after(ms, () => {
      if (this.#frozen) this.#due.add(alarm);
      else run();
    });
    return {
      cancel: () => {
        timer.cancel();
        this.#due.delete(alarm);
      },
    };
  }

  freeze(): void {
    this.#frozen = true;
  }

  thaw(): void {
    this.#frozen = false;
    for (const alarm of this.#due) {
      // One of them may cancel a later one, and a set leaves out what is deleted on the way.
      this.#due.delete(alarm);
      alarm.run();
    }
  }

  /** The process is gone: nothing of it runs again. */
  stop(): void {
    this.#frozen = true;
    this.#due.clear();
  }
}
