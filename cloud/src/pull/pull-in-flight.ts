import {
  type CancelReason,
  type Pull,
  PullFault,
  type ReplyMessage,
  type Timer,
  WireError,
} from '@pullwire/shared';
import type { Exchange, ExchangeListener } from '../http/exchange.ts';
import { type AnsweredBy, problem } from '../http/problem.ts';
import type { WaitingPull } from '../reply/reply-desk.ts';
import { ObjectReply, putSeconds } from './object-reply.ts';
import { ObjectTransfer } from './object-transfer.ts';
import { asFault, fromAgent, unsendable } from './pull-fault.ts';
import type { FirstTry, PullInFlightOptions } from './pull-in-flight-options.ts';
import { mayRepeat } from './pull-repeat.ts';
import type { LinkedPull, PullTarget } from './pull-target.ts';
import { ReplyToCaller } from './reply-to-caller.ts';
import { RequestToAgent } from './request-to-agent.ts';
import type { Due, StalledPull } from './stall-watch.ts';

/** One pull at the relay, from the frame that goes down the link to the end of the caller's answer. */
export class PullInFlight
  implements WaitingPull, LinkedPull, StalledPull, FirstTry, ExchangeListener
{
  readonly pullId: string;
  readonly device: string;
  replyTo: string;
  readonly options: PullInFlightOptions;
  /** Goes on in the next try, where there is one. */
  readonly request: RequestToAgent;
  readonly #exchange: Exchange;
  readonly #reply: ReplyToCaller;
  #deadline: Timer | undefined;
  #transfer: ObjectTransfer | undefined;
  #movedAt: number;
  /** Its frame may have reached the agent. */
  #sent = false;
  #heard = false;
  /** Its link gives nothing more: another one is looked for. */
  #parked: PullFault | undefined;
  /** The status of the problem that was answered. */
  #answered: number | undefined;
  over = false;

  constructor(options: PullInFlightOptions) {
    const { pull, target } = options;
    const { exchange, receivedAt } = options.request;
    this.options = options;
    this.#exchange = exchange;
    this.pullId = pull.pullId;
    this.device = target.device;
    this.replyTo = pull.replyTo;
    this.#movedAt = receivedAt;
    this.request =
      options.before?.request ??
      new RequestToAgent(options.upload?.incoming ?? exchange, options.requestBody);
    this.#reply = new ReplyToCaller(exchange, pull.pullId, pull.credit, {
      elapsed: () => options.clock.monotonic() - receivedAt,
      grant: (limit) => this.#control({ action: 'credit', pullId: pull.pullId, limit }),
      begun: () => {
        this.#deadline?.cancel();
        this.request.settled();
      },
      ended: () => this.#end(undefined),
    });
  }

  start(): void {
    const { pull, target, clock, deadlineMs, before } = this.options;
    target.begin(this);
    this.#exchange.listen(this);
    this.#deadline = clock.after(before?.leftMs ?? deadlineMs, () => this.#late());
    this.request.start({
      connection: target.connection,
      pull,
      ready: (body) => this.#send(body),
      failed: (fault) => this.giveUp(fault, 'relay'),
    });
  }

  passOn(pullId: string): void {
    this.#end(this.#parked, pullId);
  }

  receive(message: ReplyMessage): void {
    if (this.over || this.#parked !== undefined) return;
    this.#heard = true;
    this.#movedAt = this.options.clock.monotonic();
    try {
      this.#take(message);
    } catch (error) {
      this.giveUp(asFault(error), 'relay');
    }
  }

  /** Replies come elsewhere from now on: the agent sends again what may have been lost on the way. */
  moveReplies(replyTo: string): void {
    if (this.over || this.#parked !== undefined) return;
    this.replyTo = replyTo;
    const { pullId } = this;
    this.#control({ action: 'resend', pullId, have: this.#reply.next, replyTo });
  }

  get due(): Due | undefined {
    if (this.over || !this.#sent || this.#parked !== undefined) return undefined;
    if (this.#reply.hasGap) return 'earlier';
    const begun = this.#reply.status !== undefined;
    if (this.#transfer !== undefined) return this.#transfer.storing || !begun ? 'more' : undefined;
    // A stream may pause for reasons of its own.
    return this.#exchange.headSent && !this.#reply.hasLength ? undefined : 'more';
  }

  get position(): number {
    return this.#reply.hasGap ? this.#reply.next : this.#movedAt;
  }

  askAgain(): void {
    this.moveReplies(this.replyTo);
  }

  linkLost(why: string): void {
    const detail = `the link to the device was lost (${why})`;
    const stage = this.#heard ? 'upstream' : 'send';
    this.fail(new PullFault('link-lost', stage, { detail, retryAfterMs: 1_000 }), 'relay');
  }

  sendFailed(fault: PullFault): void {
    this.fail(fault, 'relay');
    // It may have been taken all the same: the next try shall be the only one.
    if (this.#parked !== undefined && fault.code === 'link-lost') this.#tellAgent('relay');
  }

  room(): void {
    if (!this.over && this.#parked === undefined) this.request.room();
  }

  taken(): void {
    if (this.over) return;
    this.#movedAt = this.options.clock.monotonic();
    if (this.#transfer !== undefined) this.#transfer.taken();
    else this.#reply.taken();
  }

  left(why = 'the caller left'): void {
    if (this.over) return;
    this.#cancel('caller-left');
    this.#end(new PullFault('caller-left', 'stream', { detail: why }));
  }

  /** Ends the pull where nothing moved since `before`: neither did the caller take a byte nor did the source give one. */
  endIfIdle(before: number): void {
    if (this.over || this.#reply.status === undefined || this.#movedAt > before) return;
    // A part may take a thin line as long as its URL is good.
    if (this.#transfer?.storing && this.#movedAt > before - putSeconds * 1_000) return;
    // A frame takes its time on a slow path, and counts for nothing before it is whole.
    if ((this.options.target.connection.partHeardAt ?? before) > before) return;
    const detail = 'neither the caller nor the source moved a byte within the idle limit';
    this.giveUp(new PullFault('idle-timeout', 'stream', { detail }), 'idle');
  }

  /** Before the head has gone out an honest answer; after it a transfer that breaks where the caller sees it. */
  fail(fault: PullFault, answeredBy: AnsweredBy): void {
    if (this.over) return;
    const { pull, target, again } = this.options;
    const exchange = this.#exchange;
    if (again !== undefined && this.#mayGoElsewhere(fault)) {
      this.#parked = fault;
      this.#transfer?.stop();
      exchange.takeBack();
      target.finish(this.pullId);
      return again(this, fault, () => this.fail(fault, answeredBy));
    }
    if (!exchange.headSent) {
      const { method, pullId } = pull;
      exchange.answer(problem(fault, { method, answeredBy, pullId }));
      this.#answered = fault.status;
    } else {
      exchange.breakOff();
    }
    this.#end(fault);
  }

  #mayGoElsewhere({ code }: PullFault): boolean {
    if (this.#exchange.headSent || this.#parked !== undefined) return false;
    return this.request.untouched && mayRepeat(code, this.options.pull.method, this.#sent);
  }

  #take(message: ReplyMessage): void {
    switch (message.action) {
      case 'credit':
        return this.request.raise(message.limit);
      case 'fault':
        return this.fail(fromAgent(message), 'agent');
      case 'head':
      case 'body':
      case 'end':
        this.#reply.receive(message);
        return this.#transfer?.headCame();
      case 'upload':
        return this.#byObject(message.action).upload(message);
      case 'complete':
        return this.#byObject(message.action).complete(message);
      case 'probed':
        throw new WireError('protocol-error', 'probed: nobody asked in the name of a pull');
    }
  }

  #byObject(action: string): ObjectTransfer {
    const { objects } = this.options;
    if (objects === undefined) {
      throw new WireError('protocol-error', `${action}: the relay did not announce it`);
    }
    this.#transfer ??= new ObjectTransfer(
      {
        object: new ObjectReply(objects.store, this.pullId),
        exchange: this.#exchange,
        reply: this.#reply,
        streamBytes: objects.streamBytes,
      },
      {
        put: (message) => this.#control(message),
        failed: (error) => this.giveUp(asFault(error), 'relay'),
        moved: () => {
          this.#movedAt = this.options.clock.monotonic();
        },
        track: objects.track,
      },
    );
    return this.#transfer;
  }

  #send(body: Uint8Array | undefined): void {
    if (this.#parked !== undefined) return;
    const { pull, target } = this.options;
    const frame: Pull = body === undefined ? pull : { ...pull, end: true, body };
    try {
      if (body === undefined) target.connection.control(frame);
      else target.connection.data(this.pullId, frame, body.length);
      this.#sent = true;
    } catch (error) {
      this.fail(error instanceof WireError ? unsendable(error) : asFault(error), 'relay');
    }
  }

  #control(message: Parameters<PullTarget['connection']['control']>[0]): void {
    this.options.target.connection.control(message);
  }

  /** Ends the pull from this side: the agent is told to stop. */
  giveUp(fault: PullFault, reason: CancelReason): void {
    this.#cancel(reason);
    this.fail(fault, 'relay');
  }

  #cancel(reason: CancelReason): void {
    if (this.#sent && this.#parked === undefined) this.#tellAgent(reason);
  }

  #tellAgent(reason: CancelReason): void {
    const { connection } = this.options.target;
    connection.forget(this.pullId);
    try {
      connection.control({ action: 'cancel', pullId: this.pullId, reason });
    } catch {
      // The link is full or gone: the agent's own limits end the pull there.
    }
  }

  #late(): void {
    if (this.over) return;
    const ms = this.options.deadlineMs;
    const detail = `no reply began within ${ms} ms (Prefer: wait=N sets more)`;
    this.giveUp(new PullFault('deadline-exceeded', 'deadline', { detail }), 'deadline');
  }

  #end(fault: PullFault | undefined, retriedAs?: string): void {
    if (this.over) return;
    this.over = true;
    this.#deadline?.cancel();
    this.#transfer?.stop();
    if (retriedAs === undefined) {
      this.request.stop();
      this.options.upload?.stop();
    }
    const { pull, request, target, clock } = this.options;
    target.finish(this.pullId);
    const outcome = {
      pull,
      device: target.device,
      instance: target.instance,
      status: this.#answered ?? this.#reply.status ?? fault?.status,
      code: fault?.code,
      stage: fault?.stage,
      detail: fault?.message,
      bytes: this.#reply.bytes,
      ms: clock.monotonic() - request.receivedAt,
      retriedAs,
    };
    this.options.ended(outcome, request);
  }
}
