/** What makes the times of one schedule differ, also where a clock goes back. */
export interface DueMark {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly step: number;
}

const steps = 1_000;

/**
 * The times under which a schedule's readings are known. The relay stores one reading for each, so no two may be equal:
 * a clock that is set back by an hour would make each time of that hour come twice, and the second reading vanish. From
 * then on the times are a millisecond off; due times are whole seconds apart, so that they meet no earlier one.
 */
export class DueTime {
  #last: DueMark | undefined;

  /** `last`: of the reading before, also where that was in another run of the agent. */
  constructor(last: DueMark | undefined) {
    this.#last = last;
  }

  /** `dueMs` by this device's clock; `aheadMs`: how far the relay's is ahead of it. */
  next(dueMs: number, aheadMs: number): DueMark {
    const plain = Math.max(0, Math.round(dueMs + aheadMs));
    let step = this.#last?.step ?? 0;
    if (this.#last !== undefined && plain + step <= this.#last.at) step = (step + 1) % steps;
    this.#last = { at: plain + step, step };
    return this.#last;
  }
}
