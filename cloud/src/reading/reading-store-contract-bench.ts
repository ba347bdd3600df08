import { readAll } from '../../test/signed-exchange.ts';
import type { StoredReading } from './reading.ts';
import type { ReadingPlace } from './reading-place.ts';
import type { ReadingOwner, ReadingReader } from './reading-reader.ts';
import type { RangeRequest } from './reading-table.ts';
import type { ReadingWriter } from './reading-writer.ts';

/** What writes readings and reads them, and the time there. */
export interface ReadingBench extends ReadingPlace {
  readonly writer: ReadingWriter;
  readonly reader: ReadingReader;
  /** Epoch milliseconds; may be moved. */
  now: number;
}

/** Of the benches: their times are at the beginning of the epoch, and no TTL of a table may find them expired. */
export const retentionDays = 40_000;

/** A device that was added before any of its readings came. */
export const ownerOf = (device: string): ReadingOwner => ({ device, createdAt: 0 });

const everything = { since: 0, until: Number.MAX_SAFE_INTEGER, limit: 1_000 };

/** All of a device's readings, page by page. */
export async function readRange(
  reader: ReadingReader,
  request: Partial<RangeRequest> = {},
): Promise<StoredReading[]> {
  const found: StoredReading[] = [];
  let after = request.after;
  do {
    const position = after && { after };
    const { device = 'plant-7', ...range } = request;
    const page = await reader.range(ownerOf(device), { ...everything, ...range, ...position });
    found.push(...page.items);
    after = page.next;
  } while (after !== undefined);
  return found;
}

export async function bodyOf(reader: ReadingReader, stored: StoredReading): Promise<Buffer> {
  return readAll(await reader.open(stored));
}
