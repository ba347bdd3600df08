import { type Complete, PullFault, type ReplyMessage, type Upload } from '@pullwire/shared';
import { PostError } from '../connection/poster.ts';
import { asFault, fromAgent } from '../pull/pull-fault.ts';
import type { BodyFrames } from './body-frames.ts';
import type { QueueEnds } from './queue-ends.ts';
import type { QueueStore } from './queue-store.ts';
import type { QueueUploads } from './queue-uploads.ts';
import { gatewayCredit, keptFrameBytes, keptFrames } from './queued-frame.ts';
import type { PullRef, QueuedPull, Sending } from './queued-pull.ts';
import {
  bodyBytes,
  type KeptReply,
  type ReplyFrame,
  replyTooLarge,
  wholeReply,
} from './reply-frame.ts';

export interface QueueRepliesOptions {
  readonly store: QueueStore;
  readonly ends: QueueEnds;
  /** Where the relay announced `upload`; undefined: it did not. */
  readonly uploads: QueueUploads | undefined;
  /** What sends large request bodies; undefined: whoever sent the pull does. */
  readonly bodies: BodyFrames | undefined;
  /** Tells the agent that nobody wants more of this reply; resolves when it is told, or cannot be. */
  cancel(pull: QueuedPull): Promise<void>;
  /** The body of this reply may run up to byte `limit`; resolves when the agent is told, or cannot be. */
  grant(pull: QueuedPull, limit: number): Promise<void>;
}

/** Who gets to read it can change the upstream, or ask for less. */
const framesAdvice =
  'as much as goes by frames: a reply goes by object storage where it says its length, or ends within 2 s of its head';

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
        return this.#byObject(pull, pull.sending, message);
      case 'credit':
        return this.#credit(pull, pull.sending, message.limit);
      case 'probed':
        return 'more'; // nobody asked in its name
    }
  }

  /** Keeps a reply that this process has whole, and ends the pull by it. Throws `RegistryError`. */
  async keep(pull: QueuedPull, { head, bytes, body }: KeptReply): Promise<void> {
    const { store, ends } = this.#options;
    const whole = { ...head, end: true, ...(body !== undefined && { body }) };
    await store.addFrame(head.pullId, whole, pull.keptUntil);
    const beside = body === undefined ? ({ beside: true } as const) : undefined;
    await ends.done(pull, { status: head.status, bytes, ...beside });
  }

  /** The reply cannot be kept: the pull ends, and the agent is told to stop. Throws `RegistryError`. */
  async giveUp(pull: QueuedPull, error: unknown): Promise<'ended'> {
    const { ends, cancel } = this.#options;
    if (await ends.fail(pull, asFault(error), 'relay')) await cancel(pull);
    return 'ended';
  }

  async #frame(pull: QueuedPull, frame: ReplyFrame): Promise<ReplyVerdict> {
    try {
      const frames = await this.#kept(pull, frame);
      const reply = wholeReply(frames, pull.method);
      if (reply === undefined) return await this.#unfinished(pull, frame, frames);
      const { head, body } = reply;
      await this.#options.ends.done(pull, { status: head.status, bytes: body.length });
      return 'ended';
    } catch (error) {
      if (!(error instanceof PullFault)) throw error;
      return this.giveUp(pull, error);
    }
  }

  /** Keeps the frame; resolves with those that are kept by then. Throws `PullFault` `reply-too-large`. */
  async #kept(pull: QueuedPull, frame: ReplyFrame): Promise<readonly ReplyFrame[]> {
    const { store } = this.#options;
    if (frame.seq >= keptFrames) throw replyTooLarge(keptFrameBytes, framesAdvice);
    await store.addFrame(frame.pullId, frame, pull.keptUntil);
    // Most replies are one frame.
    const isWhole = frame.action === 'head' && frame.end;
    const frames = isWhole ? [frame] : await store.frames(frame.pullId);
    if (bodyBytes(frames) > keptFrameBytes) throw replyTooLarge(keptFrameBytes, framesAdvice);
    return frames;
  }

  /** A head alone may be one whose body went by object storage; where frames follow, they get more credit. */
  async #unfinished(
    pull: QueuedPull,
    frame: ReplyFrame,
    frames: readonly ReplyFrame[],
  ): Promise<ReplyVerdict> {
    if (frame.action === 'head' && bodyBytes([frame]) === 0) return this.#uploaded(pull, frames);
    const bytes = bodyBytes(frames);
    if (bytes >= gatewayCredit / 2) await this.#options.grant(pull, bytes + gatewayCredit);
    return 'more';
  }

  async #credit(pull: QueuedPull, sending: Sending, limit: number): Promise<ReplyVerdict> {
    const { bodies, ends, cancel } = this.#options;
    try {
      await bodies?.send(pull, sending, limit);
      return 'more';
    } catch (error) {
      if (error instanceof PullFault) return this.giveUp(pull, error);
      if (!(error instanceof PostError)) throw error;
      // Some of it may be there: the device waits for the rest, or has acted on what it had.
      await ends.unanswered(pull, `its body could not be sent: ${error.message}`);
      await cancel(pull);
      return 'ended';
    }
  }

  async #byObject(
    pull: QueuedPull,
    sending: Sending,
    message: Upload | Complete,
  ): Promise<ReplyVerdict> {
    const { uploads, store } = this.#options;
    if (uploads === undefined) return this.giveUp(pull, replyTooLarge(gatewayCredit));
    try {
      if (message.action === 'upload') {
        await uploads.upload(pull, sending, message);
        return 'more';
      }
      await uploads.complete(pull, message);
      return await this.#uploaded(pull, await store.frames(message.pullId));
    } catch (error) {
      if (!(error instanceof PullFault)) throw error;
      return this.giveUp(pull, error);
    }
  }

  async #uploaded(pull: QueuedPull, frames: readonly ReplyFrame[]): Promise<ReplyVerdict> {
    const { uploads, ends } = this.#options;
    const reply = await uploads?.whole(pull, pull.sending?.sentAs ?? '', frames);
    if (reply === undefined) return 'more';
    const { head, bytes } = reply;
    await ends.done(pull, { status: head.status, bytes, beside: true });
    return 'ended';
  }

  async #fault(pull: QueuedPull, fault: PullFault): Promise<ReplyVerdict> {
    const { ends } = this.#options;
    // The agent is about to come back, and did nothing with it.
    if (fault.code === 'agent-draining') return (await ends.takeBack(pull)) ? 'back' : 'stray';
    await ends.fail(pull, fault, 'agent');
    return 'ended';
  }
}
