import {
  type FrameLimits,
  metaLimitBytes,
  type ReadingEntry,
  readingLimit,
  type Subprotocol,
} from '@pullwire/shared';
import type { SpoolRow } from '../spool/spool-reading.ts';

/** What a link takes in one message. */
export interface BatchFrame {
  readonly subprotocol: Subprotocol;
  readonly limits: FrameLimits;
}

/** What a message takes besides entries and body: `action`, the longest number of a batch, brackets. */
const envelopeBytes = 128;
/** `"length":98304,"piece":{"index":1023,"of":1024}` and a comma. */
const ownBytes = 64;

/** Counts how a message fills: entries as text, bodies as they are or in base64. */
class BatchRoom {
  readonly #frame: BatchFrame;
  #count = 0;
  #metaBytes = envelopeBytes;
  #bodyBytes = 0;

  constructor(frame: BatchFrame) {
    this.#frame = frame;
  }

  get bytes(): number {
    return this.#metaBytes + this.#bodyBytes;
  }

  /** Whether it still fits; then it is counted. */
  take(entry: object, bodyBytes: number): boolean {
    const { limits } = this.#frame;
    const meta = this.#metaBytes + entryBytes(entry);
    const body = this.#bodyBytes + bodyBytes;
    const fits =
      this.#count < readingLimit.entries &&
      meta <= metaLimitBytes &&
      body <= limits.bodyBytes &&
      meta + encodedBytes(this.#frame, body) <= limits.frameBytes;
    if (!fits) return false;
    this.#count += 1;
    this.#metaBytes = meta;
    this.#bodyBytes = body;
    return true;
  }
}

/** How many bytes of body fit beside this one entry; 0: none does. */
export function roomBeside(entry: object, frame: BatchFrame): number {
  const { limits } = frame;
  const left = limits.frameBytes - envelopeBytes - entryBytes(entry);
  const room = isText(frame) ? Math.floor(left / 4) * 3 : left;
  return Math.max(0, Math.min(room, limits.bodyBytes));
}

/**
 * The first rows, as many as one message takes, and no more than about `bytes` of them. None where the first one needs
 * messages of its own.
 */
export function batchOf(rows: readonly SpoolRow[], frame: BatchFrame, bytes: number): SpoolRow[] {
  const room = new BatchRoom(frame);
  const batch: SpoolRow[] = [];
  for (const row of rows) {
    if (batch.length > 0 && room.bytes + row.body.length > bytes) break;
    if (!room.take(row.entry, row.body.length)) break;
    batch.push(row);
  }
  return batch;
}

export function messageEntries(rows: readonly SpoolRow[]): ReadingEntry[] {
  return rows.map(({ entry, body }) => ({ ...entry, length: body.length }));
}

const isText = ({ subprotocol }: BatchFrame): boolean => subprotocol === 'pullwire.v1+json';

const entryBytes = (entry: object): number => Buffer.byteLength(JSON.stringify(entry)) + ownBytes;

function encodedBytes(frame: BatchFrame, bytes: number): number {
  return isText(frame) ? Math.ceil(bytes / 3) * 4 : bytes;
}
