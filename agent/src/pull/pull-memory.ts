/** PROTOCOL.md, "Order, repeats and credit", rule 4. */
const rememberedIds = 8_192;
const rememberMs = 60_000;

interface Remembered<V> {
  readonly value: V;
  readonly until: number;
}

/**
 * Remembers pull ids past their end, so that a repeated `pull` never runs twice, and what came before a `pull`: a
 * `cancel` stops it, a `resend` says where its reply goes. Bounded in number and time.
 */
export class PullMemory {
  readonly #now: () => number;
  /** In order of ending. */
  readonly #ended = new Map<string, Remembered<true>>();
  readonly #moved = new Map<string, Remembered<string>>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Also the mark of a `cancel` that came first. */
  end(pullId: string): void {
    remember(this.#ended, pullId, true, this.#now());
  }

  hasEnded(pullId: string): boolean {
    return (this.#ended.get(pullId)?.until ?? 0) > this.#now();
  }

  /** The mark of a `resend` that came first. */
  move(pullId: string, replyTo: string): void {
    remember(this.#moved, pullId, replyTo, this.#now());
  }

  /** Where the reply of a pull goes in place of its own `replyTo`. Asked once a pull. */
  movedTo(pullId: string): string | undefined {
    const moved = this.#moved.get(pullId);
    this.#moved.delete(pullId);
    return moved !== undefined && moved.until > this.#now() ? moved.value : undefined;
  }

  get size(): number {
    return this.#ended.size + this.#moved.size;
  }
}

function remember<V>(map: Map<string, Remembered<V>>, id: string, value: V, now: number): void {
  for (const [oldId, { until }] of map) {
    if (until > now && map.size < rememberedIds) break;
    map.delete(oldId);
  }
  map.set(id, { value, until: now + rememberMs });
}
