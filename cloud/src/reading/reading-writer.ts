import { isUtf8 } from 'node:buffer';
import { inTurns } from './in-turns.ts';
import {
  isAnswer,
  type NewReading,
  type PiecePlace,
  type ReadingHead,
  type StoredReading,
} from './reading.ts';
import { bodyKey, pieceKey, type ReadingBodies } from './reading-bodies.ts';
import { dayMs, inlineBodyBytes, readingBodyBytes } from './reading-limit.ts';
import type { PieceRecord, ReadingTable } from './reading-table.ts';
import { joinsToText, textEdges } from './text-edges.ts';

export interface ReadingWriterParts {
  readonly readingTable: Pick<
    ReadingTable,
    'put' | 'putPiece' | 'pieces' | 'removePieces' | 'closeReading' | 'noteLatest'
  >;
  readonly bodies: Pick<ReadingBodies, 'put' | 'remove'>;
  /** Milliseconds since the epoch. */
  readonly wall: () => number;
  /** For how long a reading is kept after the time at which it was due. */
  readonly retentionDays: number;
}

/** Why a reading that came in pieces is not stored, and never will be. */
export type PieceRefusal = 'incomplete' | 'too-large';

/** Objects, or items of series, that are written at a time. */
const writesAtOnce = 4;
const hourMs = 3_600_000;
/** A reading's pieces come one soon after the other; a relay may have held them back meanwhile, and a link been lost. */
const openMs = dayMs;

/**
 * Stores readings: whatever is put any number of times is there once. Every method rejects with `RegistryError` or
 * `ObjectStoreError` where a store cannot be used.
 */
export class ReadingWriter {
  readonly #parts: ReadingWriterParts;

  constructor(parts: ReadingWriterParts) {
    this.#parts = parts;
  }

  get retentionMs(): number {
    return this.#parts.retentionDays * dayMs;
  }

  /** Resolves when all of them are stored: the bodies first, so that no reading shows without its own. */
  async put(device: string, readings: readonly NewReading[]): Promise<void> {
    const fresh = new Map(readings.map((reading) => [nameOf(reading), reading]));
    const stored = [...fresh.values()].map((reading) => this.#whole(device, reading));
    await inTurns(stored, writesAtOnce, async (record) => {
      const body = fresh.get(nameOf(record))?.body;
      if (record.objects > 0 && body !== undefined) {
        await this.#parts.bodies.put(bodyKey(device, record), body);
      }
    });
    await this.#write(device, stored);
  }

  /** Stores a piece that is not the last one. */
  async putPiece(device: string, place: PiecePlace, bytes: Uint8Array): Promise<void> {
    const { at, schedule, index, of } = place;
    await this.#parts.bodies.put(pieceKey(device, place), bytes);
    const piece = {
      ...{ device, at, schedule, index, of },
      ...textEdges(bytes),
      length: bytes.length,
      expiresAt: this.#expiry(at),
    };
    // In whole hours, so that what says it is seldom another.
    const openUntil = Math.ceil((this.#parts.wall() + openMs) / hourMs) * hourMs;
    await this.#parts.readingTable.putPiece(piece, openUntil);
  }

  /** Stores the last piece, and the reading with it; or says why it cannot be one, for good. */
  async putLastPiece(
    device: string,
    head: ReadingHead,
    place: PiecePlace,
    bytes: Uint8Array,
  ): Promise<PieceRefusal | undefined> {
    await this.putPiece(device, place, bytes);
    const pieces = await this.#parts.readingTable.pieces(device, place);
    if (pieces.length !== place.of) return 'incomplete';
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
    if (length > readingBodyBytes) {
      await this.#dropPieces(device, pieces);
      await this.#parts.readingTable.closeReading(device, place);
      return 'too-large';
    }
    const isText = joinsToText(pieces);
    const stored = { ...head, device, length, isText, objects: place.of };
    await this.#write(device, [{ ...stored, ...this.#times(head.at) }]);
    await this.#parts.readingTable.closeReading(device, place);
    return undefined;
  }

  async #dropPieces(device: string, pieces: readonly PieceRecord[]): Promise<void> {
    const { readingTable, bodies } = this.#parts;
    await inTurns(pieces, writesAtOnce, (piece) => bodies.remove(pieceKey(device, piece)));
    await readingTable.removePieces(pieces);
  }

  #whole(device: string, { body, ...head }: NewReading): StoredReading {
    const { length } = body;
    const inline = length <= inlineBodyBytes;
    return {
      ...head,
      device,
      length,
      isText: isUtf8(body),
      objects: inline ? 0 : 1,
      ...this.#times(head.at),
      ...(inline && length > 0 && { body }),
    };
  }

  async #write(device: string, stored: readonly StoredReading[]): Promise<void> {
    const { readingTable } = this.#parts;
    await readingTable.put(stored);
    const bySeries = Map.groupBy(stored, ({ source, path, query }) =>
      JSON.stringify([source, path, query]),
    );
    await inTurns([...bySeries.values()], writesAtOnce, async (readings) => {
      const newest = newestOf(readings);
      if (newest === undefined) return;
      const answer = newestOf(readings.filter(isAnswer));
      await readingTable.noteLatest({ device, series: newest, newest, answer });
    });
  }

  #times(at: number): Pick<StoredReading, 'receivedAt' | 'expiresAt'> {
    return { receivedAt: this.#parts.wall(), expiresAt: this.#expiry(at) };
  }

  #expiry(at: number): number {
    return Math.ceil((at + this.retentionMs) / 1_000);
  }
}

const nameOf = ({ at, schedule }: { at: number; schedule: string }) => `${at}#${schedule}`;

function newestOf(readings: readonly StoredReading[]): StoredReading | undefined {
  let newest: StoredReading | undefined;
  for (const reading of readings) {
    if (newest === undefined || reading.at > newest.at) newest = reading;
  }
  return newest;
}
