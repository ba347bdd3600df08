import { createHash, type Hash } from 'node:crypto';

/** A part of a reply's body on its way to object storage. Its hash grows with it, so that no turn hashes 8 MiB at once. */
export class ReplyPart {
  readonly number: number;
  readonly #limitBytes: number;
  readonly #pieces: Uint8Array[] = [];
  readonly #hash: Hash = createHash('sha256');
  #bytes = 0;
  #sha256: string | undefined;

  /** `number` counts from 1. */
  constructor(number: number, limitBytes: number) {
    this.number = number;
    this.#limitBytes = limitBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get pieces(): readonly Uint8Array[] {
    return this.#pieces;
  }

  /** In hexadecimal. Nothing can be added any more. */
  get sha256(): string {
    this.#sha256 ??= this.#hash.digest('hex');
    return this.#sha256;
  }

  /** Takes what has room and returns the rest, which is empty where everything had. */
  add(chunk: Uint8Array): Uint8Array {
    const taken = chunk.subarray(0, this.#limitBytes - this.#bytes);
    if (taken.length > 0) {
      this.#pieces.push(taken);
      this.#hash.update(taken);
      this.#bytes += taken.length;
    }
    return chunk.subarray(taken.length);
  }
}
