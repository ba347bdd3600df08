import { type Clock, PullFault } from '@pullwire/shared';
import type { ByteRange, OpenObject } from '../object/object-store.ts';
import { ObjectStoreError } from '../object/object-store-error.ts';
import type { KeptBody, QueueBodies } from './kept-body.ts';
import type { QueueLog } from './queue-events.ts';
import type { QueueStore } from './queue-store.ts';

export interface LargeBodiesOptions {
  readonly store: Pick<QueueStore, 'noteBody' | 'bodiesOf' | 'forgetBody'>;
  readonly bodyStore: QueueBodies;
  readonly clock: Clock;
  readonly log: Pick<QueueLog, 'bodyStays'>;
  /** Bytes that are kept for one caller at most. */
  readonly perCallerBytes: number;
}

/**
 * Bodies of queued pulls that are too large for the table. Each is noted before anything of it is there: so it counts for
 * its owner, and what a crash leaves is found by its note.
 */
export class LargeBodies {
  readonly #options: LargeBodiesOptions;

  constructor(options: LargeBodiesOptions) {
    this.#options = options;
  }

  /** Bytes that are kept for one caller at most. */
  get perCallerBytes(): number {
    return this.#options.perCallerBytes;
  }

  /** Notes a body; false where its owner has no room for it. Throws `RegistryError`. */
  async note(body: KeptBody): Promise<boolean> {
    const { store, clock, perCallerBytes } = this.#options;
    const kept = await store.bodiesOf(body.owner, clock.wall());
    const others = kept.filter(({ key }) => key !== body.key);
    const bytes = others.reduce((sum, other) => sum + other.bytes, body.bytes);
    if (bytes > perCallerBytes) return false;
    await store.noteBody(body);
    return true;
  }

  /** Writes a body that was noted. Rejects with `ObjectStoreError`, and with what `content` throws. */
  write(key: string, content: AsyncIterable<Uint8Array>): Promise<void> {
    return this.#options.bodyStore.write(key, content);
  }

  /** Some bytes of it. Rejects with `ObjectStoreError`. */
  async piece(key: string, range: ByteRange): Promise<Buffer> {
    const { bodyStore } = this.#options;
    const pieces: Uint8Array[] = [];
    const { body } = await bodyStore.open(key, range);
    for await (const piece of body) pieces.push(piece);
    const whole = Buffer.concat(pieces);
    if (whole.length === range.to - range.from) return whole;
    throw new ObjectStoreError('failed', `${whole.length} bytes came of ${range.from}–${range.to}`);
  }

  /** It is as long as it was written. Rejects with `PullFault` `storage-unavailable`. */
  async open(key: string, bytes: number): Promise<OpenObject['body']> {
    const { bodyStore } = this.#options;
    const open = await bodyStore.open(key).catch((error: unknown) => {
      throw notReadable(error);
    });
    if (open.length === bytes) return open.body;
    for await (const _ of open.body) break; // only what was begun has an end
    throw notReadable(new ObjectStoreError('failed', `${open.length} bytes are there of ${bytes}`));
  }

  /** Never rejects: what stays is swept when its time is over. */
  async drop(owner: string, key: string): Promise<void> {
    const { bodyStore, store, log } = this.#options;
    try {
      await bodyStore.remove(key);
      await store.forgetBody(owner, key);
    } catch (error) {
      log.bodyStays(key, error);
    }
  }
}

function notReadable(error: unknown): unknown {
  if (!(error instanceof ObjectStoreError)) return error;
  return new PullFault('storage-unavailable', 'lookup', {
    detail: `what was kept of a queued pull cannot be read: ${error.message}`,
    retryAfterMs: 1_000,
    cause: error,
  });
}
