export interface LoadOutcome {
  readonly count: number;
  /** What came instead of the answer, for each pull that failed. */
  readonly failures: readonly string[];
  /** Milliseconds that each pull took that was answered as it must be, ascending. */
  readonly times: readonly number[];
}

/** A pull each so many milliseconds, however long each takes; each must be answered 200 with this very body. */
export class SteadyLoad {
  readonly #failures: string[] = [];
  readonly #times: number[] = [];
  readonly #pulls: Promise<void>[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(everyMs: number, pull: () => Promise<Response>, body: string) {
    this.#timer = setInterval(() => this.#pulls.push(this.#take(pull(), body)), everyMs);
  }

  get count(): number {
    return this.#pulls.length;
  }

  /** Begins no more; resolves when those under way have ended. */
  async end(): Promise<LoadOutcome> {
    clearInterval(this.#timer);
    await Promise.all(this.#pulls);
    const times = this.#times.sort((one, other) => one - other);
    return { count: this.#pulls.length, failures: this.#failures, times };
  }

  async #take(asked: Promise<Response>, body: string): Promise<void> {
    const began = performance.now();
    try {
      const answer = await asked;
      const text = await answer.text();
      if (answer.status !== 200 || text !== body) this.#failures.push(`${answer.status} ${text}`);
      else this.#times.push(performance.now() - began);
    } catch (error) {
      this.#failures.push(String(error));
    }
  }
}
