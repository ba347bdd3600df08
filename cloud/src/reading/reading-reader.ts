import { ObjectStoreError } from '../object/object-store-error.ts';
import type { DeviceRecord } from '../registry/registry.ts';
import type { ReadingSeries, StoredReading } from './reading.ts';
import { bodyKey, pieceKey, type ReadingBodies } from './reading-bodies.ts';
import type { RangePage, RangeRequest, ReadingTable } from './reading-table.ts';

/** A device as it is known now: what came before it was added is of another one, which had its name and was removed. */
export type ReadingOwner = Pick<DeviceRecord, 'device' | 'createdAt'>;

/** Who adds a device and who stores its readings may have clocks that differ (milliseconds). */
const graceMs = 5_000;

export interface ReadingReaderParts {
  readonly readingTable: Pick<ReadingTable, 'range' | 'latest' | 'reading'>;
  readonly bodies: Pick<ReadingBodies, 'open'>;
  /** Milliseconds since the epoch. */
  readonly wall: () => number;
}

/** Reads readings. Every method rejects with `RegistryError` or `ObjectStoreError` where a store cannot be used. */
export class ReadingReader {
  readonly #parts: ReadingReaderParts;

  constructor(parts: ReadingReaderParts) {
    this.#parts = parts;
  }

  /** One page, without those whose time is over. */
  async range(owner: ReadingOwner, request: Omit<RangeRequest, 'device'>): Promise<RangePage> {
    const { device } = owner;
    const { items, next } = await this.#parts.readingTable.range({ device, ...request });
    const shown = items.filter((reading) => this.#isShown(reading, owner));
    return { items: shown, ...(next !== undefined && { next }) };
  }

  /** The newest of a series; `answer`: the newest that is an answer, as a response that was stored. */
  async latest(
    owner: ReadingOwner,
    series: ReadingSeries,
    which: 'any' | 'answer' = 'any',
  ): Promise<StoredReading | undefined> {
    const { readingTable } = this.#parts;
    const { device } = owner;
    const times = await readingTable.latest(device, series);
    const time = which === 'any' ? times?.newest : times?.answer;
    if (time === undefined) return undefined;
    const reading = await readingTable.reading(device, time);
    return reading !== undefined && this.#isShown(reading, owner) ? reading : undefined;
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

  #isShown({ expiresAt, receivedAt }: StoredReading, { createdAt }: ReadingOwner): boolean {
    return expiresAt * 1_000 > this.#parts.wall() && receivedAt > createdAt - graceMs;
  }
}

async function* one(body: Uint8Array): AsyncGenerator<Uint8Array> {
  if (body.length > 0) yield body;
}

/** A piece that is missing in the middle is no end of the body: it is a loss. */
async function* joined(
  bodies: Pick<ReadingBodies, 'open'>,
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
