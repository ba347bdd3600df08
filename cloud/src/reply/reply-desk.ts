import type { ReplyMessage } from '@pullwire/shared';
import { type ReplyToKey, type ReplyToRefusal, verifyReplyTo } from './reply-to.ts';

/** Who sent a frame, by its authenticated connection and never by the frame's own word. */
export interface Sender {
  readonly device: string;
  readonly connectionId: string;
}

/** A pull that waits for its reply. */
export interface WaitingPull {
  readonly pullId: string;
  readonly device: string;
  readonly replyTo: string;
  receive(message: ReplyMessage): void;
}

/** Why a reply frame was dropped. `late`: its pull has ended, which is no fault. */
export type StrayReason = ReplyToRefusal | 'foreign-device' | 'foreign-pull' | 'late';

/** Brings each reply frame to the pull that waits for it, and drops what has no right to be there. */
export class ReplyDesk {
  readonly #keys: readonly ReplyToKey[];
  readonly #nowSeconds: () => number;
  readonly #waiting = new Map<string, WaitingPull>();
  #emptied: (() => void) | undefined;
  readonly strays: Record<StrayReason, number> = {
    malformed: 0,
    'unknown-key': 0,
    forged: 0,
    expired: 0,
    'foreign-device': 0,
    'foreign-pull': 0,
    late: 0,
  };

  constructor(keys: readonly ReplyToKey[], nowSeconds: () => number) {
    this.#keys = keys;
    this.#nowSeconds = nowSeconds;
  }

  get size(): number {
    return this.#waiting.size;
  }

  expect(pull: WaitingPull): void {
    this.#waiting.set(pull.pullId, pull);
  }

  forget(pullId: string): void {
    this.#waiting.delete(pullId);
    if (this.#waiting.size === 0) this.#emptied?.();
  }

  /** Tells, each time it happens from now on, that no pull waits any more. */
  whenEmpty(told: () => void): void {
    this.#emptied = told;
  }

  all(): Iterable<WaitingPull> {
    return this.#waiting.values();
  }

  /** Undefined where the frame was delivered, else why it was dropped (and counted). */
  receive(message: ReplyMessage, sender: Sender): StrayReason | undefined {
    const pull = this.#waiting.get(message.pullId);
    // The token that this process made itself needs no second HMAC: the same text is the same signature.
    if (pull !== undefined && pull.replyTo === message.replyTo && pull.device === sender.device) {
      pull.receive(message);
      return undefined;
    }
    const reason = this.#classify(message, sender);
    this.strays[reason] += 1;
    return reason;
  }

  /**
   * A frame that a function of ours passed on: it has checked signature and sender (PROTOCOL.md, "Order", rule 7), so
   * that the text alone must be this pull's. Returns and counts as `receive` does.
   */
  passedOn(message: ReplyMessage): StrayReason | undefined {
    const pull = this.#waiting.get(message.pullId);
    if (pull !== undefined && pull.replyTo === message.replyTo) {
      pull.receive(message);
      return undefined;
    }
    this.strays.late += 1;
    return 'late';
  }

  #classify(message: ReplyMessage, sender: Sender): StrayReason {
    const address = verifyReplyTo(this.#keys, message.replyTo, this.#nowSeconds());
    if (typeof address === 'string') return address;
    if (address.device !== sender.device) return 'foreign-device';
    return address.pullId === message.pullId ? 'late' : 'foreign-pull';
  }
}
