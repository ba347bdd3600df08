import { PullFault, type ReplyMessage } from '@pullwire/shared';
import { asFault, fromAgent } from '../pull/pull-fault.ts';
import type { QueueEnds } from './queue-ends.ts';
import type { QueueStore } from './queue-store.ts';
import type { PullRef, QueuedPull } from './queued-pull.ts';
import {
  checkFits,
  type ReplyFrame,
  tooLarge,
  type WholeReply,
  wholeReply,
} from './reply-frame.ts';

export interface QueueRepliesOptions {
  readonly store: QueueStore;
  readonly ends: QueueEnds;
  /** Tells the agent that nobody wants more of this reply; resolves when it is told, or cannot be. */
  cancel(pull: QueuedPull): Promise<void>;
}

/** What became of the pull by a frame of its reply. `stray`: it is not out under this wire id any more. */
export type ReplyVerdict = 'more' | 'ended' | 'back' | 'stray';

/**
 * Takes the frames of replies to queued pulls, whose signature and sender are checked already. They may come in any order,
 * beside each other, at several processes and twice: each is kept, and whoever finds the reply whole ends the pull.
 */
export class QueueReplies {
  readonly #options: QueueRepliesOptions;

  constructor(options: QueueRepliesOptions) {
    this.#options = options;
  }

  /** Throws `RegistryError`. `now`: epoch milliseconds. */
  async take(ref: PullRef, message: ReplyMessage, now: number): Promise<ReplyVerdict> {
    const pull = await this.#options.store.queuedPull(ref, now);
    if (pull?.state !== 'sent' || pull.sending?.sentAs !== message.pullId) return 'stray';
    switch (message.action) {
      case 'head':
      case 'body':
      case 'end':
        return this.#frame(pull, message);
      case 'fault':
        return this.#fault(pull, fromAgent(message));
      case 'upload':
      case 'complete':
        return this.#giveUp(pull, tooLarge());
      case 'credit':
      case 'probed':
        return 'more'; // its request went whole, and nobody asked in its name
    }
  }

  async #frame(pull: QueuedPull, frame: ReplyFrame): Promise<ReplyVerdict> {
    let reply: WholeReply | undefined;
    try {
      checkFits(frame, pull.method);
      reply = await this.#kept(pull, frame);
    } catch (error) {
      if (!(error instanceof PullFault)) throw error;
      return this.#giveUp(pull, error);
    }
    if (reply === undefined) return 'more';
    await this.#options.ends.done(pull, reply);
    return 'ended';
  }

  /** Keeps the frame; resolves with the reply where it is whole by that. */
  async #kept(pull: QueuedPull, frame: ReplyFrame): Promise<WholeReply | undefined> {
    const { store } = this.#options;
    await store.addFrame(frame.pullId, frame, pull.keptUntil);
    // Most replies are one frame.
    if (frame.action === 'head' && frame.end) return wholeReply([frame], pull.method);
    return wholeReply(await store.frames(frame.pullId), pull.method);
  }

  async #fault(pull: QueuedPull, fault: PullFault): Promise<ReplyVerdict> {
    const { ends } = this.#options;
    // The agent is about to come back, and did nothing with it.
    if (fault.code === 'agent-draining') return (await ends.takeBack(pull)) ? 'back' : 'stray';
    await ends.fail(pull, fault, 'agent');
    return 'ended';
  }

  async #giveUp(pull: QueuedPull, error: unknown): Promise<ReplyVerdict> {
    const { ends, cancel } = this.#options;
    if (await ends.fail(pull, asFault(error), 'relay')) await cancel(pull);
    return 'ended';
  }
}
