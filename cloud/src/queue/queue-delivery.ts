import { type Clock, PullFault, type RelayMessage, type ReplyMessage } from '@pullwire/shared';
import { asFault } from '../pull/pull-fault.ts';
import {
  chooseTarget,
  type PullableDevice,
  type PullableDevices,
  type PullTarget,
} from '../pull/pull-target.ts';
import { noTarget } from '../pull/pull-target-fault.ts';
import type { ReplyAddress } from '../reply/reply-to.ts';
import type { BodyFrames } from './body-frames.ts';
import type { OwnReplies } from './own-replies.ts';
import type { QueueEnds } from './queue-ends.ts';
import type { QueueLog } from './queue-events.ts';
import { QueueReplies } from './queue-replies.ts';
import type { QueueStore } from './queue-store.ts';
import type { QueueUploads } from './queue-uploads.ts';
import { pullFrame } from './queued-frame.ts';
import type { QueuedGrants } from './queued-grant.ts';
import type { PullRef, QueuedPull, Sending } from './queued-pull.ts';
import type { KeptReply } from './reply-frame.ts';
import { SentPulls } from './sent-pulls.ts';

export interface QueueDeliveryOptions {
  readonly store: QueueStore;
  readonly ends: QueueEnds;
  readonly grants: QueuedGrants;
  readonly devices: PullableDevices;
  readonly clock: Clock;
  readonly log: QueueLog;
  readonly pullsPerLink: number;
  /**
   * Where the replies to pulls that were sent here come back to this process, and nowhere else: then a pull that it does
   * not know of has lost its answer. Undefined: any process may hear them.
   */
  readonly own: OwnReplies | undefined;
  /** Where replies may go by object storage. */
  readonly uploads?: QueueUploads;
  /** What sends large request bodies, where the replies come to any process. */
  readonly bodies?: BodyFrames;
  newPullId(): string;
  replyTo(address: ReplyAddress): string;
  /** Says something to a link that this process holds no handle of. */
  say(connectionId: string, message: RelayMessage): Promise<void>;
  /** From 0, below 1. */
  random(): number;
  /** Takes care of work that nobody waits for; it handles its own errors. */
  track(work: Promise<unknown>): void;
}

/** Of one device that may be out at once: one that comes back is not flooded. */
const outAtOnce = 4;
/** Queued pulls that one look takes in. */
const lookLimit = 64;

/** These mean that the frame was not taken, by whatever should have carried it. */
const notSent: ReadonlySet<string> = new Set(['device-offline', 'link-full']);

/**
 * Sends queued pulls to their devices, in the order in which they were queued, a few at a time. Each is marked as sent
 * before its frame goes: of several who try, in this process or in others, one sends it.
 */
export class QueueDelivery {
  readonly #options: QueueDeliveryOptions;
  readonly #sent: SentPulls;
  readonly #passes = new Map<string, { again: boolean; readonly done: Promise<void> }>();
  readonly replies: QueueReplies;
  #stopped = false;

  constructor(options: QueueDeliveryOptions) {
    this.#options = options;
    const { store, ends, uploads, bodies } = options;
    this.replies = new QueueReplies({
      ...{ store, ends, uploads, bodies },
      cancel: (pull) => this.cancel(pull),
      grant: (pull, limit) => this.#tell(pull, (pullId) => ({ action: 'credit', pullId, limit })),
    });
    this.#sent = new SentPulls({
      ...options,
      received: (pull, message) => this.received(pull, message),
      whole: (pull, reply) => this.#whole(pull, reply),
      broken: (pull, fault) => this.#broken(pull, fault),
      lost: (pull, why) => this.#lost(pull, why),
      late: (pull) => this.#late(pull),
      sendFailed: (pull, fault) => this.#sendFailed(pull, fault),
      track: (device, work) => this.#track(device, work),
    });
  }

  /** Nothing more is sent. */
  stop(): void {
    this.#stopped = true;
  }

  /** Resolves when no pull that was sent here waits for its answer. */
  answered(): Promise<void> {
    return this.#sent.answered();
  }

  /** Sends what the device may have now. Never rejects: what goes wrong is logged, and the next look takes it up. */
  deliver(device: string): Promise<void> {
    const running = this.#passes.get(device);
    if (running !== undefined) {
      running.again = true;
      return running.done;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    const pass = { again: false, done: promise };
    this.#passes.set(device, pass);
    void this.#run(device, pass).then(resolve);
    return promise;
  }

  /** The pull as it stands once what is overdue is settled. */
  async settle(pull: QueuedPull): Promise<QueuedPull> {
    const { ends, store, clock } = this.#options;
    const now = clock.wall();
    if (pull.state === 'queued') {
      if (pull.deadlineAt > now) return pull;
      await ends.expire(pull);
    } else if (pull.state === 'sent' && !this.#mayAnswer(pull, now)) {
      await ends.unanswered(pull, this.#options.own ? 'the link or the relay ended' : 'in time');
    } else {
      return pull;
    }
    return (await store.queuedPull(pull, 0)) ?? pull;
  }

  /** A frame of a reply, checked for signature and sender. */
  async received(ref: PullRef, message: ReplyMessage): Promise<void> {
    const verdict = await this.replies.take(ref, message, this.#options.clock.wall());
    if (verdict === 'more') return;
    this.#sent.forget(message.pullId);
    // After `back` the same link would refuse it again: the next one takes it.
    if (verdict === 'ended') await this.deliver(ref.device);
  }

  /** Tells the agent that nobody wants the reply any more. */
  async cancel(pull: QueuedPull): Promise<void> {
    const told = this.#tell(pull, (pullId) => ({
      action: 'cancel',
      pullId,
      reason: 'caller-left',
    }));
    this.#forget(pull);
    await told;
  }

  async #tell({ sending }: QueuedPull, say: (pullId: string) => RelayMessage): Promise<void> {
    if (sending === undefined) return;
    const { sentAs, connectionId } = sending;
    const sent = this.#sent.get(sentAs);
    try {
      if (sent === undefined) await this.#options.say(connectionId, say(sentAs));
      else sent.target.connection.control(say(sentAs));
    } catch {
      // The link is full or gone: the agent's own limits end the pull there.
    }
  }

  async #run(device: string, pass: { again: boolean }): Promise<void> {
    do {
      pass.again = false;
      await this.#pass(device).catch((err: unknown) => this.#options.log.failed(err, device));
    } while (pass.again && !this.#stopped);
    this.#passes.delete(device); // at once: whoever asks from now on begins a pass of its own
  }

  async #pass(device: string): Promise<void> {
    if (this.#stopped) return;
    const { devices, store } = this.#options;
    // First the queue: for most devices there is none, and that is all it costs.
    const kept = await store.openPulls(device, lookLimit);
    if (kept.length === 0) return;
    const open = await Promise.all(kept.map((pull) => this.settle(pull)));
    const found = await devices.findAnew(device);
    if (found === undefined || found.targets.length === 0) return;
    // One whose link is gone takes nobody's place; it is settled in its own time.
    const links = new Set(found.targets.map(({ connection }) => connection.connectionId));
    const isOut = ({ state, sending }: QueuedPull) =>
      state === 'sent' && links.has(sending?.connectionId ?? '');
    let out = open.filter(isOut).length;
    for (const pull of open) {
      if (out >= outAtOnce || this.#stopped) return;
      if (pull.state === 'queued' && (await this.#send(pull, found))) out += 1;
    }
  }

  /** Whether the answer of a pull that was sent may still come. */
  #mayAnswer({ sending }: QueuedPull, now: number): boolean {
    if (sending === undefined) return false;
    return this.#options.own === undefined
      ? sending.answerBy > now
      : this.#sent.has(sending.sentAs);
  }

  /** False where it was not sent. */
  async #send(pull: QueuedPull, device: PullableDevice): Promise<boolean> {
    const { grants, ends, random, pullsPerLink } = this.#options;
    const refusal = await grants.refusal(pull, device);
    if (refusal !== undefined) {
      await ends.refuse(pull, refusal);
      return false;
    }
    // Its last link may have gone while the grants were read: that says nothing of its sources.
    if (device.targets.length === 0) return false;
    const target = chooseTarget(device.targets, pull.source, random);
    if (target === undefined) {
      const fault = noTarget(device, pull.source);
      if (fault.code !== 'agent-draining') await ends.fail(pull, fault, 'relay');
      return false;
    }
    if (target.inFlight >= pullsPerLink) return false;
    const sending = this.#sending(pull, target.connection.connectionId);
    return this.#post({ ...pull, state: 'sent', sends: pull.sends + 1, sending }, sending, target);
  }

  #sending({ answerMs }: QueuedPull, connectionId: string): Sending {
    const sentAt = this.#options.clock.wall();
    const sentAs = this.#options.newPullId();
    return { sentAs, sentAt, answerBy: sentAt + answerMs, connectionId };
  }

  /** Marks, then posts: after the mark nobody else will, whatever becomes of this process. */
  async #post(pull: QueuedPull, sending: Sending, target: PullTarget): Promise<boolean> {
    const { store, log } = this.#options;
    const { sentAs } = sending;
    const { sent, credit } = this.#sent.expect(pull, sending, target);
    if (!(await store.markSent({ ...pull, sends: pull.sends - 1 }, sending))) {
      this.#sent.forget(sentAs);
      return false;
    }
    const frame = pullFrame(pull, { sentAs, replyTo: sent.replyTo, credit });
    target.begin(sent);
    try {
      if (sent.body !== undefined) sent.sendBody(frame);
      else if (frame.body === undefined) target.connection.control(frame);
      else target.connection.data(sentAs, frame, frame.body.length);
    } catch (error) {
      await this.#notPosted(pull, asFault(error));
      return false;
    }
    log.sent(pull, sentAs);
    return true;
  }

  /** Its frames are here; the last of them may still be on their way to the disk. */
  async #whole(pull: QueuedPull, reply: Promise<KeptReply>): Promise<void> {
    try {
      await this.replies.keep(pull, await reply);
    } catch (error) {
      if (!(error instanceof PullFault)) throw error;
      await this.replies.giveUp(pull, error);
    } finally {
      this.#forget(pull);
    }
    await this.deliver(pull.device);
  }

  async #broken(pull: QueuedPull, fault: PullFault): Promise<void> {
    await this.replies.giveUp(pull, fault);
    this.#forget(pull);
    await this.deliver(pull.device);
  }

  async #lost(pull: QueuedPull, why: string): Promise<void> {
    this.#forget(pull);
    const now = await this.#options.ends.unanswered(pull, why);
    if (now === 'queued') await this.deliver(pull.device);
  }

  async #late(pull: QueuedPull): Promise<void> {
    await this.cancel(pull);
    await this.#lost(pull, `within ${pull.answerMs} ms`);
  }

  async #sendFailed(pull: QueuedPull, fault: PullFault): Promise<void> {
    // Where nobody knows whether it was taken, its answer may come still.
    if (notSent.has(fault.code)) await this.#notPosted(pull, fault);
  }

  async #notPosted(pull: QueuedPull, fault: PullFault): Promise<void> {
    this.#forget(pull);
    const { ends } = this.#options;
    if (fault.stage === 'send') await ends.takeBack(pull);
    else await ends.fail(pull, fault, 'relay');
  }

  #forget({ sending }: QueuedPull): void {
    if (sending !== undefined) this.#sent.forget(sending.sentAs);
  }

  #track(device: string, work: Promise<void>): void {
    const { track, log } = this.#options;
    track(work.catch((err: unknown) => log.failed(err, device)));
  }
}
