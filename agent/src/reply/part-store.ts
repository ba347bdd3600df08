import type { Clock, Put } from '@pullwire/shared';
import type { ReplyPart } from './reply-part.ts';

/** Where parts of large replies are put. */
export interface PartStore {
  /**
   * Resolves with the part's ETag, as the storage answered it.
   *
   * @throws PartStoreError
   */
  store(put: Put, part: ReplyPart, signal: AbortSignal): Promise<string>;
}

/** A part could not be stored. The message never holds the URL, which is signed. */
export class PartStoreError extends Error {
  override readonly name = 'PartStoreError';
  /** Whether trying again can help. */
  readonly retryable: boolean;

  constructor(message: string, retryable: boolean, cause?: unknown) {
    super(message, { cause });
    this.retryable = retryable;
  }
}

/** Before the second and the third attempt. */
const retryMs = [500, 2_000];

/** Stores a part, at the third attempt at the latest. @throws PartStoreError */
export async function storePart(
  store: PartStore,
  put: Put,
  part: ReplyPart,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<string> {
  for (const waitMs of retryMs) {
    try {
      return await store.store(put, part, signal);
    } catch (error) {
      if (!(error instanceof PartStoreError && error.retryable)) throw error;
    }
    await pause(clock, waitMs, signal);
    signal.throwIfAborted();
  }
  return store.store(put, part, signal);
}

function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = clock.after(ms, resolve);
    signal.addEventListener('abort', () => {
      timer.cancel();
      resolve();
    });
  });
}
