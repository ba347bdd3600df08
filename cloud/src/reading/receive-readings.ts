import type { Reading, ReadingEntry, RefusedReading, Stored } from '@pullwire/shared';
import type { NewReading, ReadingHead } from './reading.ts';
import { aheadMs, dayMs } from './reading-limit.ts';
import type { ReadingWriter } from './reading-writer.ts';

export interface ReceiveReadingsParts {
  readonly writer: Pick<ReadingWriter, 'put' | 'putPiece' | 'putLastPiece' | 'retentionMs'>;
  /** Milliseconds since the epoch. */
  readonly wall: () => number;
}

type Refusal = Omit<RefusedReading, 'index'>;

const nothing = new Uint8Array(0);

/** What the relay does with one `reading` of a link (PROTOCOL.md, "readings"). It remembers nothing. */
export class ReceiveReadings {
  readonly #parts: ReceiveReadingsParts;

  constructor(parts: ReceiveReadingsParts) {
    this.#parts = parts;
  }

  /**
   * Resolves when everything is stored but what is refused for good. Rejects with `RegistryError` or `ObjectStoreError`:
   * then nothing is to be said, and the agent sends the batch again. `device`: that of the link's own identity.
   */
  async receive(device: string, { batch, readings, body = nothing }: Reading): Promise<Stored> {
    const whole: NewReading[] = [];
    const refused: RefusedReading[] = [];
    let from = 0;
    for (const [index, entry] of readings.entries()) {
      const bytes = body.subarray(from, from + entry.length);
      from += entry.length;
      const refusal = this.#outOfTime(entry) ?? (await this.#takePiece(device, entry, bytes));
      if (refusal !== undefined) refused.push({ index, ...refusal });
      else if (entry.piece === undefined) whole.push({ ...headOf(entry), body: bytes });
    }
    await this.#parts.writer.put(device, whole);
    return { action: 'stored', batch, ...(refused.length > 0 && { refused }) };
  }

  #outOfTime({ at }: ReadingEntry): Refusal | undefined {
    const now = this.#parts.wall();
    const { retentionMs } = this.#parts.writer;
    if (at <= now - retentionMs) {
      const detail = `readings are kept for ${retentionMs / dayMs} days here, and this one is older`;
      return { code: 'too-old', detail };
    }
    if (at > now + aheadMs) {
      const detail = `it was due at ${timeOf(at)}, and here it is ${timeOf(now)}: set the device's clock`;
      return { code: 'in-future', detail };
    }
    return undefined;
  }

  async #takePiece(
    device: string,
    entry: ReadingEntry,
    bytes: Uint8Array,
  ): Promise<Refusal | undefined> {
    const { piece, at, schedule } = entry;
    if (piece === undefined) return undefined;
    const place = { at, schedule, index: piece.index, of: piece.of };
    const { writer } = this.#parts;
    if (piece.index < piece.of - 1) {
      await writer.putPiece(device, place, bytes);
      return undefined;
    }
    const refusal = await writer.putLastPiece(device, headOf(entry), place, bytes);
    return refusal && { code: refusal, detail: details[refusal] };
  }
}

const details = {
  incomplete: 'its last piece came, and others of its pieces are not here any more',
  'too-large': 'a reading has at most 8 MiB here',
} as const;

function headOf({ piece: _piece, length: _length, ...head }: ReadingEntry): ReadingHead {
  return head;
}

/** RFC 3339; a clock may be further off than dates go. */
function timeOf(at: number): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? String(at) : date.toISOString();
}
