import type { Clock, Pull, Timer } from '@pullwire/shared';
import type { PullLink } from '../pull/pull-link.ts';
import { KeptReply } from './kept-reply.ts';

/** PROTOCOL.md, "Features", `resend`. */
const keepMs = 30_000;
const limitBytes = 4 * 1024 * 1024;
/** Ended replies at most: a flood of faults holds no body, but memory all the same. */
const limitEnded = 4_096;

/** The replies that can be sent again: those under way, and those that ended a short while ago. Bounded in bytes. */
export class ReplyMemory {
  readonly #clock: Clock;
  /** In order of their last frame. */
  readonly #replies = new Map<string, KeptReply>();
  readonly #endings = new Map<string, Timer>();
  #bytes = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#replies.size;
  }

  open(link: PullLink, pull: Pull): KeptReply {
    const reply = new KeptReply(link, pull, { grown: this.#grown });
    this.#replies.set(pull.pullId, reply);
    return reply;
  }

  find(pullId: string): KeptReply | undefined {
    return this.#replies.get(pullId);
  }

  /** The last frame was sent: it is kept for a while. */
  ended(pullId: string): void {
    if (!this.#replies.has(pullId)) return;
    const [oldest] = this.#endings.keys();
    if (oldest !== undefined && this.#endings.size >= limitEnded) this.forget(oldest);
    this.#endings.set(
      pullId,
      this.#clock.after(keepMs, () => this.forget(pullId)),
    );
  }

  forget(pullId: string): void {
    this.#endings.get(pullId)?.cancel();
    this.#endings.delete(pullId);
    this.#replies.get(pullId)?.drop();
    this.#replies.delete(pullId);
  }

  /** Nothing can be sent again over a link that is gone. */
  lost(link: PullLink): void {
    for (const reply of [...this.#replies.values()]) {
      if (reply.link === link) this.forget(reply.pullId);
    }
  }

  readonly #grown = (reply: KeptReply, bytes: number): void => {
    this.#bytes += bytes;
    if (bytes <= 0) return;
    if (this.#replies.delete(reply.pullId)) this.#replies.set(reply.pullId, reply);
    for (const [pullId, oldest] of this.#replies) {
      if (this.#bytes <= limitBytes) return;
      if (this.#endings.has(pullId)) this.forget(pullId);
      else oldest.drop();
    }
  };
}
