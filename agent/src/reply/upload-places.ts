/** How many replies may go by object storage at once: each holds up to two parts in memory. First come, first served. */
export class UploadPlaces {
  readonly #taken = new Set<() => void>();
  readonly #waiting = new Set<() => void>();
  readonly #count: number;

  constructor(count: number) {
    this.#count = count;
  }

  get taken(): number {
    return this.#taken.size;
  }

  /** Calls `entered` when there is a place: at once, or later. */
  enter(entered: () => void): void {
    if (this.#taken.size >= this.#count) {
      this.#waiting.add(entered);
      return;
    }
    this.#taken.add(entered);
    entered();
  }

  /** Gives the place, or the wait for it, of `entered` back. */
  leave(entered: () => void): void {
    this.#waiting.delete(entered);
    if (!this.#taken.delete(entered)) return;
    for (const next of this.#waiting) {
      this.#waiting.delete(next);
      return this.enter(next);
    }
  }
}
