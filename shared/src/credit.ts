import { WireError } from './wire-error.ts';

/**
 * The sender's side of credit: how far a body may run. Limits are absolute byte counts from the body's start, of which
 * the greatest counts, so that late and repeated ones are harmless (PROTOCOL.md, "Order", rule 2).
 */
export class Allowance {
  #limit: number;
  #spent: number;

  /** `spent`: bytes of the body that went without credit, inside `pull`. */
  constructor(limit: number, spent = 0) {
    this.#limit = limit;
    this.#spent = spent;
  }

  get limit(): number {
    return this.#limit;
  }

  get spent(): number {
    return this.#spent;
  }

  /** Bytes that may be sent now. */
  get available(): number {
    return Math.max(0, this.#limit - this.#spent);
  }

  /** Throws `RangeError` where `bytes` is more than is available: a mistake of ours, not of the peer. */
  spend(bytes: number): void {
    if (bytes > this.available) {
      throw new RangeError(`${bytes} bytes would go beyond the credit of ${this.available}`);
    }
    this.#spent += bytes;
  }

  /** Returns whether the limit rose. */
  raise(limit: number): boolean {
    if (limit <= this.#limit) return false;
    this.#limit = limit;
    return true;
  }
}

/**
 * The receiver's side of credit: `size` bytes may be on their way or waiting to be taken. The first limit is granted
 * from the start; say it to the peer.
 */
export class Window {
  readonly #size: number;
  #limit: number;
  #received: number;

  /** `received`: bytes of the body that came without credit, inside `pull`. */
  constructor(size: number, received = 0) {
    this.#size = size;
    this.#received = received;
    this.#limit = received + size;
  }

  /** The absolute limit that was granted last. */
  get limit(): number {
    return this.#limit;
  }

  /** Throws `WireError` `protocol-error` where the body now runs beyond what was granted (rule 3). */
  received(bytes: number): void {
    this.#received += bytes;
    if (this.#received > this.#limit) {
      throw new WireError(
        'protocol-error',
        `body: ${this.#received} bytes are beyond the credit of ${this.#limit}`,
      );
    }
  }

  /**
   * `total` bytes of the body have been taken so far. Returns the new absolute limit to grant, or undefined while less
   * than a quarter of the window opened: a message for each piece would cost more than it brings.
   */
  taken(total: number): number | undefined {
    const limit = total + this.#size;
    if ((limit - this.#limit) * 4 < this.#size) return undefined;
    this.#limit = limit;
    return limit;
  }
}
