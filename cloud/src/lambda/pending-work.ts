/** What an invocation has begun and must not leave behind: a function that has answered is frozen. */
export class PendingWork {
  readonly #running = new Set<Promise<unknown>>();

  /** Takes care of a promise that handles its own errors. */
  add(work: Promise<unknown>): void {
    this.#running.add(work);
    const done = () => this.#running.delete(work);
    work.then(done, done);
  }

  /** Resolves when nothing runs any more, what was begun meanwhile included. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
  }
}
