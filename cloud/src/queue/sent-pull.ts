import type { PullFault, ReplyMessage, Timer } from '@pullwire/shared';
import { asFault } from '../pull/pull-fault.ts';
import type { LinkedPull, PullTarget } from '../pull/pull-target.ts';
import type { WaitingPull } from '../reply/reply-desk.ts';
import type { ArrivingReply } from './arriving-reply.ts';
import type { QueuedPull } from './queued-pull.ts';

export interface SentPullHooks {
  /** What is not a frame of its reply. */
  received(message: ReplyMessage): void;
  /** Its reply cannot be kept. */
  broken(fault: PullFault): void;
  /** No answer comes any more. */
  lost(why: string): void;
  /** Its frame was not taken. */
  sendFailed(fault: PullFault): void;
}

/** A queued pull that this process sent and whose reply it may hear: what its link and the reply desk know of it. */
export class SentPull implements LinkedPull, WaitingPull {
  readonly pullId: string;
  readonly device: string;
  readonly replyTo: string;
  readonly target: PullTarget;
  readonly #hooks: SentPullHooks;
  /** Where its reply comes here, and nowhere else. */
  reply: ArrivingReply | undefined;
  /** Ends the wait for its answer. */
  deadline: Timer | undefined;

  constructor(
    { pullId, replyTo }: { readonly pullId: string; readonly replyTo: string },
    pull: QueuedPull,
    target: PullTarget,
    hooks: SentPullHooks,
  ) {
    this.pullId = pullId;
    this.replyTo = replyTo;
    this.device = pull.device;
    this.target = target;
    this.#hooks = hooks;
  }

  receive(message: ReplyMessage): void {
    try {
      this.#take(message);
    } catch (error) {
      this.reply?.stop(); // what else is on its way is of no use
      this.#hooks.broken(asFault(error));
    }
  }

  linkLost(why: string): void {
    // All of it is here already, on its way to the disk perhaps.
    if (this.reply?.isWhole === true) return;
    this.#hooks.lost(`the link was lost: ${why}`);
  }

  sendFailed(fault: PullFault): void {
    this.#hooks.sendFailed(fault);
  }

  /** Its only frame carries everything. */
  room(): void {}

  /** Nothing more is expected of the device. */
  heard(): void {
    this.deadline?.cancel();
    this.target.finish(this.pullId);
  }

  stop(): void {
    this.heard();
    this.reply?.stop();
  }

  #take(message: ReplyMessage): void {
    switch (message.action) {
      case 'head':
      case 'body':
      case 'end':
        return this.reply?.take(message);
      default:
        return this.#hooks.received(message);
    }
  }
}
