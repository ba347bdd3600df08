import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Bytes of bodies between two collections. Found by trying from 2 to 64 MiB: below, a single fast stream spends more
 * on collecting than it gains; above, the memory of agent and relay no longer stays under 200 MB.
 */
const defaultBytes = 16 * 1024 * 1024;

/** Smaller bodies do not add up to anything that the young generation would not see. */
const largeBytes = 4_096;

/**
 * Keeps the memory of passing bodies small. Their buffers lie outside the heap, so V8's young generation does not fill
 * up with them and sees no reason to collect; a fast stream then leaves a hundred megabytes of them behind. A minor
 * collection takes about half a millisecond, since hardly anything young is still in use.
 */
export class BufferCollector {
  readonly #everyBytes: number;
  readonly #collect: () => void;
  #bytes = 0;

  constructor(collect: () => void = minorCollection(), everyBytes: number = defaultBytes) {
    this.#collect = collect;
    this.#everyBytes = everyBytes;
  }

  /** So many bytes of bodies have come in or gone out. */
  moved(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < this.#everyBytes) return;
    this.#bytes = 0;
    this.#collect();
  }

  /**
   * The fragments of a binary message came in. A body large enough to matter is a fragment of its own, the last one,
   * or makes the only one large.
   */
  received(fragments: readonly Uint8Array[]): void {
    const { length } = fragments.at(-1) ?? [];
    if (length !== undefined && length > largeBytes) this.moved(length);
  }
}

/** V8's own minor collection, which Node gives only to those who ask for it by a flag. */
function minorCollection(): () => void {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as (options: { type: 'minor' }) => void;
  return () => gc({ type: 'minor' });
}
