import { isUtf8 } from 'node:buffer';
import { ObjectStoreError } from '../object/object-store-error.ts';
import {
  isAnswer,
  type NewReading,
  type PiecePlace,
  type ReadingHead,
  type ReadingSeries,
  type StoredReading,
} from './reading.ts';
import { bodyKey, pieceKey, type ReadingBodies } from './reading-bodies.ts';
import { dayMs, inlineBodyBytes, readingBodyBytes } from './reading-limit.ts';
import type { PieceRecord, RangePage, RangeRequest, ReadingTable } from './reading-table.ts';
import { joinsToText, textEdges } from './text-edges.ts';

export interface ReadingStoreParts {
  readonly table: ReadingTable;
  readonly bodies: ReadingBodies;
  /** Milliseconds since the epoch. */
  readonly wall: () => number;
  /** For how long a reading is kept after the time at which it was due. */
  readonly retentionDays: number;
}

/** Why a reading that came in pieces is not stored, and never will be. */
export type PieceRefusal = 'incomplete' | 'too-large';

/** Objects that are written at a time. */
const writesAtOnce = 4;

/**
 * The readings of all devices. Whatever is put any number of times is there once. Every method rejects with
 * `RegistryError` or `ObjectStoreError` where a store cannot be used.
 */
export class ReadingStore {
  readonly #parts: ReadingStoreParts;

  constructor(parts: ReadingStoreParts) {
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
    await this.#parts.table.putPiece({
      ...{ device, at, schedule, index, of },
      ...textEdges(bytes),
      length: bytes.length,
      expiresAt: this.#expiry(at),
    });
  }

  /** Stores the last piece, and the reading with it; or says why it cannot be one, for good. */
  async putLastPiece(
    device: string,
    head: ReadingHead,
    place: PiecePlace,
    bytes: Uint8Array,
  ): Promise<PieceRefusal | undefined> {
    await this.putPiece(device, place, bytes);
    const pieces = await this.#parts.table.pieces(device, place);
    if (pieces.length !== place.of) return 'incomplete';
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
    if (length > readingBodyBytes) {
      await this.#dropPieces(device, pieces);
      return 'too-large';
    }
    const isText = joinsToText(pieces);
    const expiresAt = this.#expiry(head.at);
    await this.#write(device, [{ ...head, device, length, isText, objects: place.of, expiresAt }]);
    return undefined;
  }

  /** One page, without those whose time is over. */
  async range(request: RangeRequest): Promise<RangePage> {
    const { items, next } = await this.#parts.table.range(request);
    const shown = items.filter((reading) => this.#isShown(reading));
    return { items: shown, ...(next !== undefined && { next }) };
  }

  /** The newest of a series; `answer`: the newest that is an answer, as a response that was stored. */
  async latest(
    device: string,
    series: ReadingSeries,
    which: 'any' | 'answer' = 'any',
  ): Promise<StoredReading | undefined> {
    const { table } = this.#parts;
    const times = await table.latest(device, series);
    const time = which === 'any' ? times?.newest : times?.answer;
    if (time === undefined) return undefined;
    const reading = await table.reading(device, time);
    return reading !== undefined && this.#isShown(reading) ? reading : undefined;
  }

  /** The body from its first byte. Rejects with `missing` where it is not there any more, before anything was given. */
  async open(reading: StoredReading): Promise<AsyncIterable<Uint8Array>> {
    const { bodies } = this.#parts;
    const { device, objects, body } = reading;
    if (objects === 0) return one(body ?? new Uint8Array(0));
    if (objects === 1) return (await bodies.open(bodyKey(device, reading))).body;
    const keys = Array.from({ length: objects }, (_, index) =>
      pieceKey(device, { at: reading.at, schedule: reading.schedule, index, of: objects }),
    );
    const first = await bodies.open(keys[0] as string);
    return joined(bodies, first.body, keys.slice(1));
  }

  /** Removes what was due before the retention began, at most `limit` of one device at a time; resolves with how many. */
  async sweepDevice(device: string, limit: number): Promise<number> {
    const { table, bodies, wall } = this.#parts;
    const before = wall() - this.retentionMs;
    const readings = await table.oldReadings(device, before, limit);
    const whole = readings.filter(({ objects }) => objects === 1);
    await inTurns(whole, writesAtOnce, (reading) => bodies.remove(bodyKey(device, reading)));
    await table.remove(readings);
    const pieces = await table.oldPieces(device, before, limit);
    await this.#dropPieces(device, pieces);
    if (readings.length + pieces.length < limit) await table.removeOldLatest(device, before);
    return readings.length + pieces.length;
  }

  async #dropPieces(device: string, pieces: readonly PieceRecord[]): Promise<void> {
    const { table, bodies } = this.#parts;
    await inTurns(pieces, writesAtOnce, (piece) => bodies.remove(pieceKey(device, piece)));
    await table.removePieces(pieces);
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
      expiresAt: this.#expiry(head.at),
      ...(inline && length > 0 && { body }),
    };
  }

  async #write(device: string, stored: readonly StoredReading[]): Promise<void> {
    const { table } = this.#parts;
    await table.put(stored);
    const bySeries = Map.groupBy(stored, ({ source, path, query }) =>
      JSON.stringify([source, path, query]),
    );
    await inTurns([...bySeries.values()], writesAtOnce, async (readings) => {
      const newest = newestOf(readings);
      if (newest === undefined) return;
      const answer = newestOf(readings.filter(isAnswer));
      await table.noteLatest({ device, series: newest, newest, answer });
    });
  }

  #isShown({ expiresAt }: StoredReading): boolean {
    return expiresAt * 1_000 > this.#parts.wall();
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

/** Runs each, so many at a time; the first error ends it when those under way have ended. */
async function inTurns<T>(
  items: readonly T[],
  most: number,
  run: (item: T) => Promise<void>,
): Promise<void> {
  for (let at = 0; at < items.length; at += most) {
    const turn = await Promise.allSettled(items.slice(at, at + most).map(run));
    const failed = turn.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }
}

async function* one(body: Uint8Array): AsyncGenerator<Uint8Array> {
  if (body.length > 0) yield body;
}

/** A piece that is missing in the middle is no end of the body: it is a loss. */
async function* joined(
  bodies: ReadingBodies,
  first: AsyncIterable<Uint8Array>,
  rest: readonly string[],
): AsyncGenerator<Uint8Array> {
  yield* first;
  for (const key of rest) {
    const { body } = await bodies.open(key).catch((cause: unknown) => {
      throw new ObjectStoreError('unavailable', 'a piece of a reading cannot be read', cause);
    });
    yield* body;
  }
}
