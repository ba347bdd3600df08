import type { StoredReading } from './reading.ts';

/** An answer that is made as it goes out. */
export interface ReadingsAnswer {
  readonly headers: readonly string[];
  readonly items: readonly StoredReading[];
  /** What stands before the readings, between two of them, and behind them. */
  readonly begin: string;
  readonly between: string;
  readonly end: string;
}
