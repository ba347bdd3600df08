import type { Held, Reading, ReadingEntry, RefusedReading, Stored } from '@pullwire/shared';
import type { ReadingHead } from './reading.ts';
import { readingCost } from './reading-cost.ts';
import { aheadMs, dayMs, readingBodyBytes } from './reading-limit.ts';
import type { QuotaFull, ReadingQuota } from './reading-quota.ts';
import type { ReadingWriter } from './reading-writer.ts';

export interface ReceiveReadingsParts {
  readonly writer: Pick<ReadingWriter, 'put' | 'putPiece' | 'putLastPiece' | 'retentionMs'>;
  readonly quota: Pick<ReadingQuota, 'take' | 'giveBack'>;
  /** Milliseconds since the epoch. */
  readonly wall: () => number;
}

type Refusal = Omit<RefusedReading, 'index'>;

/** One entry of a batch with its own bytes, and where in the batch it stood. */
interface Arrived {
  readonly index: number;
  readonly entry: ReadingEntry;
  readonly bytes: Uint8Array;
}

const nothing = new Uint8Array(0);

/** What the relay does with one `reading` of a link (PROTOCOL.md, "readings"). It remembers nothing but quotas. */
export class ReceiveReadings {
  readonly #parts: ReceiveReadingsParts;

  constructor(parts: ReceiveReadingsParts) {
    this.#parts = parts;
  }

  /**
   * Resolves with `stored` when everything is stored but what is refused for good; with `held` where nothing is, because the
   * device has no more of its quota now. Rejects with `RegistryError` or `ObjectStoreError`: then nothing is to be said, and
   * the agent sends the batch again. `device`: that of the link's own identity.
   */
  async receive(
    device: string,
    { batch, readings, body = nothing }: Reading,
  ): Promise<Stored | Held> {
    const { quota } = this.#parts;
    const { fit, refused } = this.#sort(readings, body);
    const cost = fit.reduce((sum, { entry }) => sum + readingCost(entry), 0);
    const full = await quota.take(device, cost);
    if (full !== undefined) return heldOf(batch, full);
    try {
      refused.push(...(await this.#store(device, fit)));
    } catch (error) {
      quota.giveBack(device, cost);
      throw error;
    }
    return { action: 'stored', batch, ...(refused.length > 0 && { refused }) };
  }

  #sort(
    readings: readonly ReadingEntry[],
    body: Uint8Array,
  ): { readonly fit: Arrived[]; readonly refused: RefusedReading[] } {
    const fit: Arrived[] = [];
    const refused: RefusedReading[] = [];
    let from = 0;
    for (const [index, entry] of readings.entries()) {
      const bytes = body.subarray(from, from + entry.length);
      from += entry.length;
      const refusal = this.#outOfTime(entry) ?? endsTooFar(entry);
      if (refusal !== undefined) refused.push({ index, ...refusal });
      else fit.push({ index, entry, bytes });
    }
    return { fit, refused };
  }

  async #store(device: string, arrived: readonly Arrived[]): Promise<readonly RefusedReading[]> {
    const refused: RefusedReading[] = [];
    for (const { index, entry, bytes } of arrived) {
      const refusal = await this.#takePiece(device, entry, bytes);
      if (refusal !== undefined) refused.push({ index, ...refusal });
    }
    const whole = arrived.filter(({ entry }) => entry.piece === undefined);
    await this.#parts.writer.put(
      device,
      whole.map(({ entry, bytes }) => ({ ...headOf(entry), body: bytes })),
    );
    return refused;
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
    return refusal && refusals[refusal];
  }
}

const refusals = {
  incomplete: {
    code: 'incomplete',
    detail: 'its last piece came, and others of its pieces are not here any more',
  },
  'too-large': { code: 'too-large', detail: 'a reading has at most 8 MiB here' },
} as const;

/** None before a piece is smaller, but for the last: where this one ends, it would be over the bound with all of them there. */
function endsTooFar({ piece, length }: ReadingEntry): Refusal | undefined {
  if (piece === undefined || piece.index === piece.of - 1) return undefined;
  return (piece.index + 1) * length > readingBodyBytes ? refusals['too-large'] : undefined;
}

function heldOf(batch: number, { bytesPerDay, retryAfterMs }: QuotaFull): Held {
  const mib = Math.floor(bytesPerDay / 1_048_576);
  const detail = `the relay stores ${mib} MiB of readings a day of one device, and no more of this one for now`;
  // What a timer takes (PROTOCOL.md, "Limits").
  const longest = 2 ** 31 - 1;
  return {
    ...{ action: 'held', batch, code: 'quota-full', detail },
    retryAfterMs: Math.min(longest, Math.ceil(retryAfterMs)),
  };
}

function headOf({ piece: _piece, length: _length, ...head }: ReadingEntry): ReadingHead {
  return head;
}

/** RFC 3339; a clock may be further off than dates go. */
function timeOf(at: number): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? String(at) : date.toISOString();
}
