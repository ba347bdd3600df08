/** PROTOCOL.md, "Order, repeats and credit", rule 4. */
const endedIds = 8_192;
const endedMs = 60_000;

/**
 * Remembers pull ids past their end, so that a repeated `pull` never runs twice, and a `cancel` that came before its
 * `pull` stops it. Bounded in number and time.
 */
export class PullMemory {
  readonly #now: () => number;
  /** In order of ending: id → until when. */
  readonly #ended = new Map<string, number>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Also the mark of a `cancel` that came first. */
  end(pullId: string): void {
    const now = this.#now();
    for (const [id, until] of this.#ended) {
      if (until > now && this.#ended.size < endedIds) break;
      this.#ended.delete(id);
    }
    this.#ended.set(pullId, now + endedMs);
  }

  hasEnded(pullId: string): boolean {
    return (this.#ended.get(pullId) ?? 0) > this.#now();
  }

  get size(): number {
    return this.#ended.size;
  }
}
