import { earlyFrameLimit } from './limit.ts';
import { WireError } from './wire-error.ts';

export interface ReorderOptions {
  /** Bytes that may wait for an earlier frame: what was given credit for. */
  readonly bytes: number;
  /** Frames that may wait; `earlyFrameLimit` by default. */
  readonly frames?: number;
  /** The number of the first frame; 0 by default. */
  readonly next?: number;
}

interface Early<T> {
  readonly frame: T;
  readonly bytes: number;
}

/** Puts the numbered frames of one direction of one pull in order, and drops repeats (PROTOCOL.md, "Order", rule 1). */
export class Reorder<T extends { readonly seq: number }> {
  readonly #frameLimit: number;
  readonly #byteLimit: number;
  #early: Map<number, Early<T>> | undefined;
  #earlyBytes = 0;
  #next: number;
  #repeats = 0;

  constructor(options: ReorderOptions) {
    this.#byteLimit = options.bytes;
    this.#frameLimit = options.frames ?? earlyFrameLimit;
    this.#next = options.next ?? 0;
  }

  /** The number of the next frame to be delivered. */
  get next(): number {
    return this.#next;
  }

  /** Frames that wait for an earlier one. */
  get earlyFrames(): number {
    return this.#early?.size ?? 0;
  }

  get earlyBytes(): number {
    return this.#earlyBytes;
  }

  /** Frames that were dropped because they had come before. */
  get repeats(): number {
    return this.#repeats;
  }

  /**
   * Delivers the frame and those that waited for it, or keeps it, or drops a repeat. `bytes` is its body's size.
   * Throws `WireError` `protocol-error` where more would have to wait than is allowed.
   */
  accept(frame: T, bytes: number, deliver: (frame: T) => void): void {
    if (frame.seq === this.#next) {
      this.#next += 1;
      deliver(frame);
      if (this.#early !== undefined) this.#release(this.#early, deliver);
    } else if (frame.seq < this.#next || this.#early?.has(frame.seq)) {
      this.#repeats += 1;
    } else {
      this.#keep(frame, bytes);
    }
  }

  #keep(frame: T, bytes: number): void {
    if (this.earlyFrames >= this.#frameLimit) this.#overflow(`${this.#frameLimit} frames`);
    if (this.#earlyBytes + bytes > this.#byteLimit) this.#overflow(`${this.#byteLimit} bytes`);
    this.#early ??= new Map();
    this.#early.set(frame.seq, { frame, bytes });
    this.#earlyBytes += bytes;
  }

  #overflow(limit: string): never {
    throw new WireError(
      'protocol-error',
      `seq: more than ${limit} came before frame ${this.#next}, which is missing`,
    );
  }

  #release(early: Map<number, Early<T>>, deliver: (frame: T) => void): void {
    for (;;) {
      const waiting = early.get(this.#next);
      if (waiting === undefined) return;
      early.delete(this.#next);
      this.#earlyBytes -= waiting.bytes;
      this.#next += 1;
      deliver(waiting.frame);
    }
  }
}
