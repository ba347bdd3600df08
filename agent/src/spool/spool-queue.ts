import type { SpoolChange, SpoolReading } from './spool-reading.ts';

/** Readings that wait for a disk, in bytes of their bodies: two of the largest. */
const heldBytes = 16 * 1024 * 1024;
/** Bodies in one commit: a transaction must not grow without bound after a long trouble. */
const commitBytes = 8 * 1024 * 1024;
/** What a reading costs besides its body. */
const readingBytes = 512;

interface Appended {
  readonly reading: SpoolReading;
  readonly bytes: number;
  /** Undefined once it was told. */
  tell(taken: boolean): void;
}

interface Removed {
  readonly ids: readonly number[];
  tell(): void;
}

/** What waits for the next commit. Bounded: where the disk takes nothing for long, the oldest are lost and counted. */
export class SpoolQueue {
  #appended: Appended[] = [];
  #removed: Removed[] = [];
  #bytes = 0;
  /** How many of the first ones the running commit has. */
  #taken = { append: 0, remove: 0 };
  #lost = 0;

  get length(): number {
    return this.#appended.length;
  }

  get isEmpty(): boolean {
    return this.#appended.length === 0 && this.#removed.length === 0;
  }

  /** Readings that were given up. */
  get lost(): number {
    return this.#lost;
  }

  append(reading: SpoolReading): Promise<boolean> {
    return new Promise((tell) => {
      const bytes = reading.body.length + readingBytes;
      this.#appended.push({ reading, bytes, tell });
      this.#bytes += bytes;
      this.#shrink();
    });
  }

  remove(ids: readonly number[]): Promise<void> {
    return new Promise((tell) => {
      this.#removed.push({ ids, tell });
    });
  }

  /** What goes into the next commit; undefined: nothing waits. */
  take(): Omit<SpoolChange, 'now'> | undefined {
    const append: SpoolReading[] = [];
    let bytes = 0;
    for (const { reading, bytes: own } of this.#appended) {
      if (append.length > 0 && bytes + own > commitBytes) break;
      append.push(reading);
      bytes += own;
    }
    if (append.length === 0 && this.#removed.length === 0) return undefined;
    this.#taken = { append: append.length, remove: this.#removed.length };
    return { append, remove: this.#removed.flatMap(({ ids }) => ids) };
  }

  /** What was taken is on the disk. */
  written(): void {
    const appended = this.#appended.splice(0, this.#taken.append);
    const removed = this.#removed.splice(0, this.#taken.remove);
    this.#taken = { append: 0, remove: 0 };
    for (const { bytes, tell } of appended) {
      this.#bytes -= bytes;
      tell(true);
    }
    for (const { tell } of removed) tell();
  }

  /** What was taken waits again. */
  refused(): void {
    this.#taken = { append: 0, remove: 0 };
    this.#shrink();
  }

  /** Nothing is written any more. Returns how many readings are lost by it. */
  end(): number {
    const left = this.#appended.splice(0);
    this.#lost += left.length;
    for (const { tell } of left) tell(false);
    for (const { tell } of this.#removed.splice(0)) tell();
    return left.length;
  }

  /** The running commit keeps what it has. */
  #shrink(): void {
    while (this.#bytes > heldBytes && this.#appended.length > this.#taken.append + 1) {
      const [oldest] = this.#appended.splice(this.#taken.append, 1);
      if (oldest === undefined) return;
      this.#bytes -= oldest.bytes;
      this.#lost += 1;
      oldest.tell(false);
    }
  }
}
