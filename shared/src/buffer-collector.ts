import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes of bodies between two collections, found by trying: fewer cost more than they free, more cost memory. */
const defaultBytes = 16 * 1024 * 1024;

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
}

/** V8's own minor collection, which Node gives only to those who ask for it by a flag. */
function minorCollection(): () => void {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as (options: { type: 'minor' }) => void;
  return () => gc({ type: 'minor' });
}
