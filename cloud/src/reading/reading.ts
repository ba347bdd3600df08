import type { HeaderList, ReadingFault } from '@pullwire/shared';

/** Which one of a device's readings: the same schedule at the same time is the same reading. */
export interface ReadingTime {
  /** When it was due: epoch milliseconds. */
  readonly at: number;
  readonly schedule: string;
}

/** What was asked of a device: readings of one series answer the same question at different times. */
export interface ReadingSeries {
  readonly source: string;
  /** Raw, begins with `/`. */
  readonly path: string;
  /** Raw, without `?`. */
  readonly query?: string;
}

/** A reading without its body. */
export interface ReadingHead extends ReadingTime, ReadingSeries {
  /** How long the device took, in milliseconds. */
  readonly ms: number;
  /** With `headers`, of an answer. */
  readonly status?: number;
  readonly headers?: HeaderList;
  /** Where there was no answer. */
  readonly fault?: ReadingFault;
}

/** One that has just come, whole. */
export interface NewReading extends ReadingHead {
  readonly body: Uint8Array;
}

/** Which piece of a reading: one that is sent again in another number of pieces has nothing in common with the first. */
export interface PiecePlace extends ReadingTime {
  readonly index: number;
  readonly of: number;
}

/** Which reading, and in how many pieces it comes. */
export type DividedReading = Omit<PiecePlace, 'index'>;

/** A reading as it stands in the table. */
export interface StoredReading extends ReadingHead {
  readonly device: string;
  /** Bytes of its body. */
  readonly length: number;
  /** Whether the body is UTF-8. */
  readonly isText: boolean;
  /** A small body. */
  readonly body?: Uint8Array;
  /** In how many objects a larger body lies; 0: none, `body` is all. */
  readonly objects: number;
  /** Epoch milliseconds, by the relay's clock: a device's own may be ahead. When it came last, of one that came twice. */
  readonly receivedAt: number;
  /** Epoch *seconds*, as DynamoDB's TTL wants them: it is not shown any more from then on. */
  readonly expiresAt: number;
}

/** RFC 9110 §15.1, "heuristically cacheable", without 206, which is a part, and 501, which is an error. */
const reusable = new Set([200, 203, 204, 300, 301, 308, 404, 405, 410, 414]);

/** Whether the device answered with what may be given to others who ask the same (RFC 9111 §3). */
export function isAnswer({ status }: ReadingHead): boolean {
  return status !== undefined && reusable.has(status);
}
