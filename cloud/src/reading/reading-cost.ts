import { headBytes, type ReadingEntry } from '@pullwire/shared';
import { inlineBodyBytes } from './reading-limit.ts';

/** What a reading takes of table and index besides what came with it, about. */
const itemBytes = 512;
/** What an object takes besides its bytes: at least a block of a file system. */
const objectBytes = 4_096;

/** Bytes that storing one entry of a batch counts for: its body, its head, and what a place of its own takes. */
export function readingCost(entry: ReadingEntry): number {
  const { source, schedule, path, query = '', headers = [], fault, length, piece } = entry;
  const text = source.length + schedule.length + path.length + query.length;
  const head = text + headBytes(headers) + (fault?.detail.length ?? 0);
  const isObject = piece !== undefined || length > inlineBodyBytes;
  return itemBytes + head + length + (isObject ? objectBytes : 0);
}
