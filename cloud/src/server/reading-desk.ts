import type { Clock, Held, Reading, Stored, Timer } from '@pullwire/shared';

export interface ReadingDeskOptions {
  readonly clock: Clock;
  /** Stores a batch, or says that it is to come later; rejects where it cannot be stored now. */
  receive(device: string, batch: Reading): Promise<Stored | Held>;
  /** A batch could not be stored: its agent is told nothing, and sends it again. */
  failed(error: unknown): void;
}

/** A link that readings come from. */
export interface ReadingLink {
  /** False where as many of its batches wait as may (PROTOCOL.md, "readings"): this one is not stored. */
  take(batch: Reading): boolean;
  /** The link has ended: what waits comes again on the next one. */
  close(): void;
}

export interface ReadingCounters {
  /** Batches. */
  stored: number;
  /** Their devices have as much stored as they may for now. */
  held: number;
  failed: number;
  /** There was no room for them; their agents send them again. */
  dropped: number;
}

/** As many of one link wait for their `stored`, by the protocol. */
const mostOfLink = 4;
/** Batches that are stored at a time: the store is the pulls' own registry, and the event loop theirs. */
const atOnce = 2;
/**
 * After a batch its place rests for so many times as long as storing took, up to `longestRestMs`: a backlog is in no hurry,
 * and each call to the store holds the event loop for some milliseconds. A batch of fewer entries than `restAfter` rests in
 * proportion less: a fleet whose devices bring one reading each must not wait for each other.
 */
const restTimes = 6;
const restAfter = 25;
const longestRestMs = 500;
/** Bytes of batches that wait, of all links together: a fleet that comes back brings much at once. */
const waitingBytes = 64 * 1_024 * 1_024;
/** What a batch holds besides its body, for each of its entries. */
const entryBytes = 500;

interface Waiting {
  readonly batch: Reading;
  readonly device: string;
  readonly bytes: number;
  ended(answer: Stored | Held | undefined): void;
}

/** Where the one-box server's links hand in their readings: stored one after the other, between the pulls. */
export class ReadingDesk {
  readonly #options: ReadingDeskOptions;
  #waiting: Waiting[] = [];
  #bytes = 0;
  #running = 0;
  readonly #resting = new Set<Timer>();
  #stopped = false;
  #idle: (() => void) | undefined;
  readonly counters: ReadingCounters = { stored: 0, held: 0, failed: 0, dropped: 0 };

  constructor(options: ReadingDeskOptions) {
    this.#options = options;
  }

  /** Batches that wait or are being stored. */
  get size(): number {
    return this.#waiting.length + this.#running;
  }

  /** `device`: of the link's own identity; `answer`: not called any more once the link is closed. */
  link(device: string, answer: (answer: Stored | Held) => void): ReadingLink {
    const open = new Map<number, Waiting>();
    return {
      take: (batch) => {
        // It comes again where its `stored` was long in coming; there is still but one answer to give.
        if (open.has(batch.batch)) return true;
        if (open.size >= mostOfLink) return false;
        const waiting: Waiting = {
          batch,
          device,
          bytes: (batch.body?.length ?? 0) + entryBytes * batch.readings.length,
          ended: (answered) => {
            if (open.get(batch.batch) !== waiting) return;
            open.delete(batch.batch);
            if (answered !== undefined) answer(answered);
          },
        };
        if (this.#take(waiting)) open.set(batch.batch, waiting);
        return true;
      },
      close: () => {
        const own = new Set(open.values());
        open.clear();
        this.#forget(own);
      },
    };
  }

  /** Takes nothing more, and gives up what waits; resolves when what is being stored is stored. */
  stop(): Promise<void> {
    this.#stopped = true;
    for (const rest of this.#resting) rest.cancel();
    this.#forget(new Set(this.#waiting));
    if (this.#running === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle = resolve;
    });
  }

  #take(waiting: Waiting): boolean {
    if (this.#stopped) return false;
    if (this.#bytes + waiting.bytes > waitingBytes) {
      this.counters.dropped += 1;
      return false;
    }
    this.#bytes += waiting.bytes;
    this.#waiting.push(waiting);
    this.#next();
    return true;
  }

  #forget(some: ReadonlySet<Waiting>): void {
    this.#waiting = this.#waiting.filter((waiting) => {
      if (!some.has(waiting)) return true;
      this.#bytes -= waiting.bytes;
      return false;
    });
  }

  #next(): void {
    if (this.#running + this.#resting.size >= atOnce) return;
    const waiting = this.#waiting.shift();
    if (waiting === undefined) return;
    this.#running += 1;
    // Not in the turn that read it: the frames of pulls that came with it go first.
    setImmediate(() => void this.#store(waiting));
  }

  async #store({ batch, device, bytes, ended }: Waiting): Promise<void> {
    const { clock } = this.#options;
    const began = clock.monotonic();
    try {
      const answer = await this.#options.receive(device, batch);
      this.counters[answer.action] += 1;
      ended(answer);
    } catch (error) {
      this.counters.failed += 1;
      ended(undefined);
      this.#options.failed(error);
    }
    this.#running -= 1;
    this.#bytes -= bytes;
    this.#rest((clock.monotonic() - began) * Math.min(1, batch.readings.length / restAfter));
    if (this.#running === 0) this.#idle?.();
  }

  #rest(afterMs: number): void {
    const ms = Math.min(longestRestMs, restTimes * afterMs);
    if (ms < 1 || this.#stopped) return this.#next();
    const rest = this.#options.clock.after(ms, () => {
      this.#resting.delete(rest);
      this.#next();
    });
    this.#resting.add(rest);
  }
}
