import type { Pull, PullFault, ReplyMessage, Timer } from '@pullwire/shared';
import { asFault } from '../pull/pull-fault.ts';
import type { LinkedPull, PullTarget } from '../pull/pull-target.ts';
import { RequestToAgent } from '../pull/request-to-agent.ts';
import type { StoredBody } from '../pull/stored-body.ts';
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
  /** That of its request, where it goes behind the frame, from here. */
  body: StoredBody | undefined;
  #request: RequestToAgent | undefined;
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

  room(): void {
    this.#request?.room();
  }

  /** Sends the pull's frame, and its body as the agent gives credit. Throws `PullFault` where the frame is not taken. */
  sendBody(frame: Pull): void {
    const { body, target } = this;
    if (body === undefined) throw new Error('there is no body');
    const { connection } = target;
    this.#request = new RequestToAgent(body.incoming, { bytes: body.length, advice: '' });
    this.#request.start({
      connection,
      pull: frame,
      ready: () => connection.control(frame),
      failed: (fault) => this.#hooks.broken(fault),
    });
  }

  /** Nothing more is expected of the device. */
  heard(): void {
    this.deadline?.cancel();
    this.#request?.stop();
    this.body?.stop();
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
      case 'credit':
        return this.#request?.raise(message.limit);
      default:
        return this.#hooks.received(message);
    }
  }
}
