import type { PullFault, ReplyMessage, Timer } from '@pullwire/shared';
import type { LinkedPull, PullTarget } from '../pull/pull-target.ts';
import type { WaitingPull } from '../reply/reply-desk.ts';
import type { QueuedPull } from './queued-pull.ts';

export interface SentPullHooks {
  received(message: ReplyMessage): void;
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
    this.#hooks.received(message);
  }

  linkLost(why: string): void {
    this.#hooks.lost(`the link was lost: ${why}`);
  }

  sendFailed(fault: PullFault): void {
    this.#hooks.sendFailed(fault);
  }

  /** Its only frame carries everything. */
  room(): void {}

  stop(): void {
    this.deadline?.cancel();
    this.target.finish(this.pullId);
  }
}
