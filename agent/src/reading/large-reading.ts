import { type ReadingEntry, readingLimit } from '@pullwire/shared';
import type { SpoolRow } from '../spool/spool-reading.ts';
import { type BatchFrame, roomBeside } from './reading-batch.ts';

export interface ReadingPiece {
  readonly entry: ReadingEntry;
  readonly body: Uint8Array;
  readonly index: number;
}

/**
 * A reading that does not fit into one message, cut for one link: pieces in order, the last of which, with status and
 * headers, is ready when all the others are stored (PROTOCOL.md, "Features", `readings`).
 */
export class LargeReading {
  readonly row: SpoolRow;
  readonly #sizes: readonly number[];
  readonly #stored = new Set<number>();
  #next = 0;
  /** Pieces to be sent again, before the next one. */
  #again: number[] = [];

  /** Undefined where no link of these limits could ever bring it. */
  static cut(row: SpoolRow, frame: BatchFrame): LargeReading | undefined {
    const sizes = sizesOf(row, frame);
    return sizes === undefined ? undefined : new LargeReading(row, sizes);
  }

  private constructor(row: SpoolRow, sizes: readonly number[]) {
    this.row = row;
    this.#sizes = sizes;
  }

  /** The next piece that may go now. */
  next(): ReadingPiece | undefined {
    const index = this.#again[0] ?? this.#next;
    const last = this.#sizes.length - 1;
    if (index > last || (index === last && this.#stored.size < last)) return undefined;
    const from = this.#sizes.slice(0, index).reduce((sum, size) => sum + size, 0);
    const body = this.row.body.subarray(from, from + (this.#sizes[index] ?? 0));
    return { entry: this.#entry(index, body.length), body, index };
  }

  /** The piece of `next` is on its way. */
  sent(): void {
    if (this.#again.shift() === undefined) this.#next += 1;
  }

  /** Nobody knows whether the piece is stored. */
  doubtful(index: number): void {
    this.#again.push(index);
  }

  /** Whether this was the last one. */
  stored(index: number): boolean {
    this.#stored.add(index);
    return this.#stored.size === this.#sizes.length;
  }

  #entry(index: number, length: number): ReadingEntry {
    const of = this.#sizes.length;
    const { entry } = this.row;
    return {
      ...(index === of - 1 ? entry : withoutOutcome(this.row)),
      length,
      piece: { index, of },
    };
  }
}

function sizesOf(row: SpoolRow, frame: BatchFrame): number[] | undefined {
  const lastRoom = Math.min(row.body.length, roomBeside(row.entry, frame));
  const room = roomBeside(withoutOutcome(row), frame);
  if (room === 0 || lastRoom === 0) return undefined;
  const before = row.body.length - lastRoom;
  const pieces = Math.max(1, Math.ceil(before / room));
  if (pieces + 1 > readingLimit.pieces) return undefined;
  const sizes = Array.from({ length: pieces }, (_, index) => Math.min(room, before - index * room));
  return [...sizes, lastRoom];
}

function withoutOutcome({ entry }: SpoolRow): Omit<ReadingEntry, 'length'> {
  const { schedule, at, source, path, query, ms } = entry;
  return { schedule, at, source, path, ...(query !== undefined && { query }), ms };
}
