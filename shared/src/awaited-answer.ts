import { bytesWritten, isSending, type Movement } from './movement.ts';

/** In bytes a millisecond: where less is received, no answer waits behind it on a slow path. */
const slowestPath = 0.5;
/** An answer may wait behind what is in the peer's socket and its system's buffer, and no more. */
const mostBehindBytes = 1_048_576;

export interface AwaitedAnswerInit {
  /** When the ping was sent. */
  readonly at: number;
  /** Silence before it. */
  readonly quietMs: number;
  /** What had moved before it, and with it. */
  readonly before: Movement;
  readonly movement: Movement;
}

/** Milliseconds. */
export interface AnswerTimes {
  /** For the answer, from when nothing holds it up any more. */
  readonly answerMs: number;
  /** For a queue that stands still. */
  readonly stallMs: number;
}

/** The answer to a ping, and what may hold it up: data before the ping, or data before the answer. */
export class AwaitedAnswer {
  readonly quietMs: number;
  readonly before: Movement;
  #sentAt: number;
  /** When its time began anew, and what had moved by then. */
  #from: number;
  #movement: Movement;
  readonly #after: Movement;
  /** Bytes up to the ping's last that the peer's system had not acknowledged at the last look; undefined where nobody can tell. */
  #behind: number | undefined;
  /** The last look that found them fewer than the one before. */
  #ackedAt: number | undefined;

  constructor({ at, quietMs, before, movement }: AwaitedAnswerInit) {
    this.quietMs = quietMs;
    this.before = before;
    this.#sentAt = at;
    this.#from = at;
    this.#movement = movement;
    this.#after = movement;
  }

  get sentAt(): number {
    return this.#sentAt;
  }

  /** Whether the ping may still be in the system's queue. */
  get mayBeBehind(): boolean {
    return this.#behind !== 0;
  }

  dueMs(now: number, answerMs: number): number {
    return this.#from + answerMs - now;
  }

  /** Nothing was seen until now. */
  sentAnew(now: number): void {
    this.#sentAt = now;
    this.#from = now;
  }

  /** The system has so many bytes that the peer's has not acknowledged: what was written behind the ping does not count. */
  noteUnacknowledged(bytes: number, last: Movement, now: number): void {
    const behind = Math.max(0, bytes - bytesWritten(this.#after, last));
    if (this.#behind === undefined) this.#behind = behind;
    if (behind >= this.#behind) return;
    this.#behind = behind;
    this.#ackedAt = now;
    if (behind === 0) this.#from = now; // the ping has arrived
  }

  /** Whether nothing holds it up, and its time is over; begins that anew where something does. */
  isOverdue(now: number, last: Movement, { answerMs, stallMs }: AnswerTimes): boolean {
    if (this.dueMs(now, answerMs) > 0) return false;
    // The ping stands in the queue, which is judged as a whole.
    if (this.before.waiting > 0 && last.waiting > 0) return false;
    if (this.#ackedAt !== undefined && this.#behind !== 0 && now - this.#ackedAt < stallMs) {
      return false;
    }
    if (!isSending(this.#movement, last) && !this.#isBehindReceived(now, last)) return true;
    this.#from = now;
    this.#movement = last;
    return false;
  }

  /** So much comes in that the answer can wait behind it. */
  #isBehindReceived(now: number, { received }: Movement): boolean {
    if (received - this.before.received > mostBehindBytes) return false;
    return received - this.#movement.received > slowestPath * (now - this.#from);
  }
}
