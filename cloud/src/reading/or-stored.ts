import { PullFault } from '@pullwire/shared';
import { ObjectStoreError } from '../object/object-store-error.ts';
import { orUnavailable } from '../presence/or-unavailable.ts';
import type { StoredReading } from './reading.ts';
import type { ReadingReader } from './reading-reader.ts';

/** What readings answer; where registry or storage cannot be used, rejects with `PullFault`. */
export async function orStored<T>(answer: Promise<T>): Promise<T> {
  try {
    return await orUnavailable(answer);
  } catch (error) {
    if (!(error instanceof ObjectStoreError)) throw error;
    throw new PullFault('storage-unavailable', 'lookup', {
      detail: `the storage of readings: ${error.message}`,
      retryAfterMs: 1_000,
      cause: error,
    });
  }
}

/** A reading's body; undefined where it is there no more, which only its storage can have done. */
export async function openOrMissing(
  reader: Pick<ReadingReader, 'open'>,
  reading: StoredReading,
): Promise<AsyncIterable<Uint8Array> | undefined> {
  try {
    return await reader.open(reading);
  } catch (error) {
    if (error instanceof ObjectStoreError && error.code === 'missing') return undefined;
    throw error;
  }
}
