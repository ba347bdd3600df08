import type { Clock, PullFault, ReplyMessage } from '@pullwire/shared';
import { asFault } from '../pull/pull-fault.ts';
import type { PullTarget } from '../pull/pull-target.ts';
import type { ReplyAddress } from '../reply/reply-to.ts';
import type { OwnReplies } from './own-replies.ts';
import { gatewayCredit } from './queued-frame.ts';
import type { QueuedPull, Sending } from './queued-pull.ts';
import { replyHostOf } from './queued-reply-host.ts';
import type { KeptReply } from './reply-frame.ts';
import { SentPull } from './sent-pull.ts';

export interface SentPullsOptions {
  /** Undefined: any process may hear the replies. */
  readonly own: OwnReplies | undefined;
  readonly clock: Clock;
  replyTo(address: ReplyAddress): string;
  received(pull: QueuedPull, message: ReplyMessage): Promise<void>;
  /** Its reply is here, and whole when `reply` resolves. */
  whole(pull: QueuedPull, reply: Promise<KeptReply>): Promise<void>;
  broken(pull: QueuedPull, fault: PullFault): Promise<void>;
  lost(pull: QueuedPull, why: string): Promise<void>;
  late(pull: QueuedPull): Promise<void>;
  sendFailed(pull: QueuedPull, fault: PullFault): Promise<void>;
  /** Takes care of work about a device that nobody waits for. */
  track(device: string, work: Promise<void>): void;
}

/** Epoch seconds of a `replyTo` beyond the time for the answer. */
const replyToSeconds = 300;

/** Queued pulls that this process has sent, until their answers are kept or are not expected any more. */
export class SentPulls {
  readonly #options: SentPullsOptions;
  readonly #sent = new Map<string, { readonly pull: SentPull; readonly credit: number }>();
  #allAnswered: PromiseWithResolvers<void> | undefined;

  constructor(options: SentPullsOptions) {
    this.#options = options;
  }

  has(sentAs: string): boolean {
    return this.#sent.has(sentAs);
  }

  get(sentAs: string): SentPull | undefined {
    return this.#sent.get(sentAs)?.pull;
  }

  /** Resolves when none waits for its answer. */
  answered(): Promise<void> {
    if (this.#sent.size === 0) return Promise.resolve();
    this.#allAnswered ??= Promise.withResolvers<void>();
    return this.#allAnswered.promise;
  }

  /** Known before it is marked as sent, so that nobody here takes it for one whose answer is lost. */
  expect(
    pull: QueuedPull,
    sending: Sending,
    target: PullTarget,
  ): { readonly sent: SentPull; readonly credit: number } {
    const { own, replyTo, received, broken, lost, sendFailed } = this.#options;
    const { device } = pull;
    const { sentAs: pullId, answerBy } = sending;
    const track = (work: Promise<void>) => this.#options.track(device, work);
    const expiresAt = Math.ceil(answerBy / 1_000) + replyToSeconds;
    const token = replyTo({ host: replyHostOf(pull), pullId, device, expiresAt });
    const sent = new SentPull({ pullId, replyTo: token }, pull, target, {
      received: (message) => track(received(pull, message)),
      broken: (fault) => track(broken(pull, fault)),
      lost: (why) => track(lost(pull, why)),
      sendFailed: (fault) => track(sendFailed(pull, fault)),
    });
    const credit = own?.windows.take() ?? gatewayCredit;
    this.#sent.set(pullId, { pull: sent, credit });
    if (own !== undefined) this.#hear(own, pull, sending, sent, credit);
    return { sent, credit };
  }

  forget(sentAs: string): void {
    const { own } = this.#options;
    const known = this.#sent.get(sentAs);
    if (known !== undefined) {
      known.pull.stop();
      own?.windows.give(known.credit);
    }
    this.#sent.delete(sentAs);
    own?.desk.forget(sentAs);
    if (this.#sent.size === 0) this.#allAnswered?.resolve();
  }

  #hear(own: OwnReplies, pull: QueuedPull, sending: Sending, sent: SentPull, credit: number): void {
    const { clock, whole, broken, late, track } = this.#options;
    const { device, answerMs } = pull;
    const { pullId, target } = sent;
    sent.reply = own.reply(pull, sending, {
      windowBytes: credit,
      grant: (limit) => target.connection.control({ action: 'credit', pullId, limit }),
      whole: (reply) => {
        sent.heard();
        track(device, whole(pull, reply));
      },
      failed: (error) => {
        sent.reply?.stop();
        track(device, broken(pull, asFault(error)));
      },
    });
    sent.body = own.body(pull);
    own.desk.expect(sent);
    sent.deadline = clock.after(answerMs, () => track(device, late(pull)));
  }
}
