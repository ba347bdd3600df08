import type { ByteRange, ObjectStore, OpenObject } from '../object/object-store.ts';
import type { QueueBodies } from './kept-body.ts';

type Bucket = Pick<ObjectStore, 'put' | 'open' | 'remove'>;

/** Bodies of queued pulls in a bucket. */
export class ObjectQueueBodies implements QueueBodies {
  readonly #bucket: () => Promise<Bucket>;

  /** `bucket`: loaded with the first body. */
  constructor(bucket: () => Promise<Bucket>) {
    this.#bucket = bucket;
  }

  /** An object is put whole: only request bodies are written here, which a function holds in memory. */
  async write(key: string, content: AsyncIterable<Uint8Array>): Promise<void> {
    const pieces: Uint8Array[] = [];
    for await (const piece of content) pieces.push(piece);
    const store = await this.#bucket();
    await store.put(key, Buffer.concat(pieces));
  }

  async open(key: string, range?: ByteRange): Promise<OpenObject> {
    const store = await this.#bucket();
    return store.open(key, range);
  }

  async remove(key: string): Promise<void> {
    const store = await this.#bucket();
    await store.remove(key);
  }
}
