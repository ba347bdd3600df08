import type { ReadingEntry } from '@pullwire/shared';

/** What came of one time of a schedule, without what only its message knows. */
export type SpoolEntry = Omit<ReadingEntry, 'length' | 'piece'>;

/** A reading on its way into the spool. */
export interface SpoolReading {
  readonly entry: SpoolEntry;
  readonly body: Uint8Array;
  /** Of the schedule: see `DueTime`. */
  readonly step: number;
}

/** A reading that counts as taken. */
export interface SpoolRow {
  /** Grows with the time of taking, and is never used again. */
  readonly id: number;
  readonly entry: SpoolEntry;
  readonly body: Uint8Array;
}

/** The last reading of a schedule that was taken. */
export interface SpoolMark {
  readonly schedule: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly step: number;
}

/** Bounds of what waits; whatever is over them is dropped, the oldest first. */
export interface SpoolBounds {
  /** Bodies and what is said of them, not the size of the file. */
  readonly maxBytes: number;
  readonly maxAgeMs: number;
}

export interface SpoolDropped {
  /** There was no room. */
  readonly full: number;
  readonly age: number;
}

/** What waits after a commit, and what the commit did. */
export interface SpoolCommit {
  readonly depth: number;
  readonly bytes: number;
  /** The oldest that waits was due then, in epoch milliseconds. */
  readonly oldestAt: number | undefined;
  readonly added: number;
  readonly removed: number;
  readonly dropped: SpoolDropped;
}

/** One commit: new readings, and those that the relay has. */
export interface SpoolChange {
  readonly append: readonly SpoolReading[];
  /** Ids. */
  readonly remove: readonly number[];
  /** Epoch milliseconds, by this device's clock. */
  readonly now: number;
}

export interface SpoolReadLimit {
  /** Stops after the row that reaches it. */
  readonly bytes: number;
  readonly rows: number;
}
