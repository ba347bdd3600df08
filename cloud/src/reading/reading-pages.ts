import type { ReadingTime, StoredReading } from './reading.ts';
import type { ReadingOwner, ReadingReader } from './reading-reader.ts';
import type { RangePage } from './reading-table.ts';
import type { ReadingsRequest } from './readings-request.ts';

/** Looks at the table for one page, of 1 MB at most each: what is rare among much comes on several pages. */
const mostLooks = 8;
/** Bytes of readings in memory, after which a page ends. */
const pageBytes = 2 * 1_024 * 1_024;
/** What a reading has besides its body, about. */
const headBytes = 500;
/** Readings of one look where many of them are left out. */
const wideLook = 1_000;

/** Puts together the pages that callers get, of those that the table gives. */
export class ReadingPages {
  readonly #reader: Pick<ReadingReader, 'range'>;

  constructor(reader: Pick<ReadingReader, 'range'>) {
    this.#reader = reader;
  }

  /** The readings that are asked for and may be read. A page may be short, or empty, and yet not be the last. */
  async read(
    owner: ReadingOwner,
    request: ReadingsRequest,
    mayRead: (source: string) => boolean,
  ): Promise<RangePage> {
    const { since, until, source, path, limit } = request;
    const wanted = { ...(source !== undefined && { source }), ...(path !== undefined && { path }) };
    const may = source === undefined ? remembered(mayRead) : () => true;
    const items: StoredReading[] = [];
    let next: ReadingTime | undefined = request.after;
    for (let looks = 0; looks < mostLooks; looks += 1) {
      const look = source === undefined && path === undefined ? limit - items.length : wideLook;
      const position = next && { after: next };
      const range = { since, until, limit: look, ...wanted, ...position };
      const page: RangePage = await this.#reader.range(owner, range);
      items.push(...page.items.filter((reading) => may(reading.source)));
      next = page.next;
      if (items.length > limit) return { items: items.slice(0, limit), next: timeOf(items, limit) };
      if (next === undefined || items.length === limit || bytesOf(items) >= pageBytes) break;
    }
    return { items, ...(next !== undefined && { next }) };
  }
}

function timeOf(items: readonly StoredReading[], limit: number): ReadingTime {
  const { at, schedule } = items[limit - 1] as StoredReading;
  return { at, schedule };
}

function bytesOf(items: readonly StoredReading[]): number {
  return items.reduce((sum, { body }) => sum + headBytes + (body?.length ?? 0), 0);
}

/** A device has few sources. */
function remembered(mayRead: (source: string) => boolean): (source: string) => boolean {
  const known = new Map<string, boolean>();
  return (source) => {
    const may = known.get(source) ?? mayRead(source);
    known.set(source, may);
    return may;
  };
}
