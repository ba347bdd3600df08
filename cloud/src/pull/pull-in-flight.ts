import {
  type CancelReason,
  type Clock,
  type ErrorCode,
  type Fault,
  isErrorCode,
  type Pull,
  PullFault,
  type ReplyMessage,
  type Timer,
  WireError,
} from '@pullwire/shared';
import type { Exchange, ExchangeListener } from '../http/exchange.ts';
import { type AnsweredBy, problem } from '../http/problem.ts';
import type { WaitingPull } from '../reply/reply-desk.ts';
import { ObjectReply, putSeconds, type ReplyStore } from './object-reply.ts';
import { ObjectTransfer } from './object-transfer.ts';
import type { LinkedPull, PullTarget } from './pull-target.ts';
import { ReplyToCaller } from './reply-to-caller.ts';
import { type IncomingBody, type RequestBodyLimit, RequestToAgent } from './request-to-agent.ts';
import type { Due, StalledPull } from './stall-watch.ts';
import type { UploadedBody } from './uploaded-body.ts';

/** How a pull ended, for the log and the counters. */
export interface PullOutcome {
  readonly pull: Pull;
  readonly device: string;
  readonly instance: string;
  readonly status: number | undefined;
  readonly code: ErrorCode | undefined;
  readonly stage: string | undefined;
  readonly detail: string | undefined;
  readonly bytes: number;
  readonly ms: number;
}

export interface ReplyObjects {
  readonly store: ReplyStore;
  /** Bytes of what the host can stream to a caller. */
  readonly streamBytes: number;
  /** Work that goes on beside the pull, and after it. */
  track(work: Promise<unknown>): void;
}

export interface PullInFlightOptions {
  readonly pull: Pull;
  readonly exchange: Exchange;
  readonly target: PullTarget;
  readonly clock: Clock;
  readonly receivedAt: number;
  readonly deadlineMs: number;
  readonly requestBody: RequestBodyLimit;
  /** The request's body, where it was uploaded before. */
  readonly upload?: UploadedBody | undefined;
  /** Where large replies go; undefined where the host streams. */
  readonly objects: ReplyObjects | undefined;
  ended(outcome: PullOutcome): void;
}

/** One pull at the relay, from the frame that goes down the link to the end of the caller's answer. */
export class PullInFlight implements WaitingPull, LinkedPull, StalledPull, ExchangeListener {
  readonly pullId: string;
  readonly device: string;
  replyTo: string;
  readonly #options: PullInFlightOptions;
  readonly #request: RequestToAgent;
  readonly #reply: ReplyToCaller;
  #deadline: Timer | undefined;
  #transfer: ObjectTransfer | undefined;
  #movedAt: number;
  #sent = false;
  #heard = false;
  /** The status of the problem that was answered. */
  #answered: number | undefined;
  #over = false;

  constructor(options: PullInFlightOptions) {
    const { pull, exchange, target } = options;
    this.#options = options;
    this.pullId = pull.pullId;
    this.device = target.device;
    this.replyTo = pull.replyTo;
    this.#movedAt = options.receivedAt;
    this.#request = new RequestToAgent(
      incomingOf(options),
      target.connection,
      pull,
      options.requestBody,
      { ready: (body) => this.#send(body), failed: (fault) => this.giveUp(fault, 'relay') },
    );
    this.#reply = new ReplyToCaller(exchange, pull.pullId, pull.credit, {
      elapsed: () => options.clock.monotonic() - options.receivedAt,
      grant: (limit) => this.#control({ action: 'credit', pullId: pull.pullId, limit }),
      begun: () => this.#deadline?.cancel(),
      ended: () => this.#end(undefined),
    });
  }

  start(): void {
    const { exchange, target, clock, deadlineMs } = this.#options;
    target.begin(this);
    exchange.listen(this);
    this.#deadline = clock.after(deadlineMs, () => this.#late());
    this.#request.start();
  }

  receive(message: ReplyMessage): void {
    if (this.#over) return;
    this.#heard = true;
    this.#movedAt = this.#options.clock.monotonic();
    try {
      this.#take(message);
    } catch (error) {
      this.giveUp(asFault(error), 'relay');
    }
  }

  /** Replies come elsewhere from now on: the agent sends again what may have been lost on the way. */
  moveReplies(replyTo: string): void {
    if (this.#over) return;
    this.replyTo = replyTo;
    const { pullId } = this;
    this.#control({ action: 'resend', pullId, have: this.#reply.next, replyTo });
  }

  get due(): Due | undefined {
    if (this.#over || !this.#sent) return undefined;
    if (this.#reply.hasGap) return 'earlier';
    const begun = this.#reply.status !== undefined;
    if (this.#transfer !== undefined) return this.#transfer.storing || !begun ? 'more' : undefined;
    // A stream may pause for reasons of its own.
    return this.#options.exchange.headSent && !this.#reply.hasLength ? undefined : 'more';
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
  }

  room(): void {
    if (!this.#over) this.#request.room();
  }

  taken(): void {
    if (this.#over) return;
    this.#movedAt = this.#options.clock.monotonic();
    if (this.#transfer !== undefined) this.#transfer.taken();
    else this.#reply.taken();
  }

  left(): void {
    if (this.#over) return;
    this.#cancel('caller-left');
    this.#end(new PullFault('caller-left', 'stream', { detail: 'the caller left' }));
  }

  /** Ends the pull where nothing moved since `before`: neither did the caller take a byte nor did the source give one. */
  endIfIdle(before: number): void {
    if (this.#over || this.#reply.status === undefined || this.#movedAt > before) return;
    // A part may take a thin line as long as its URL is good.
    if (this.#transfer?.storing && this.#movedAt > before - putSeconds * 1_000) return;
    const detail = 'neither the caller nor the source moved a byte within the idle limit';
    this.giveUp(new PullFault('idle-timeout', 'stream', { detail }), 'idle');
  }

  /** Before the head has gone out an honest answer; after it a transfer that breaks where the caller sees it. */
  fail(fault: PullFault, answeredBy: AnsweredBy): void {
    if (this.#over) return;
    const { exchange, pull } = this.#options;
    if (!exchange.headSent) {
      const { method, pullId } = pull;
      exchange.answer(problem(fault, { method, answeredBy, pullId }));
      this.#answered = fault.status;
    } else {
      exchange.breakOff();
    }
    this.#end(fault);
  }

  #take(message: ReplyMessage): void {
    switch (message.action) {
      case 'credit':
        return this.#request.raise(message.limit);
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
    const { exchange, objects } = this.#options;
    if (objects === undefined) {
      throw new WireError('protocol-error', `${action}: the relay did not announce it`);
    }
    this.#transfer ??= new ObjectTransfer(
      {
        object: new ObjectReply(objects.store, this.pullId),
        exchange,
        reply: this.#reply,
        streamBytes: objects.streamBytes,
      },
      {
        put: (message) => this.#control(message),
        failed: (error) => this.giveUp(asFault(error), 'relay'),
        moved: () => {
          this.#movedAt = this.#options.clock.monotonic();
        },
        track: objects.track,
      },
    );
    return this.#transfer;
  }

  #send(body: Uint8Array | undefined): void {
    const { pull, target } = this.#options;
    const frame: Pull = body === undefined ? pull : { ...pull, end: true, body };
    this.#sent = true;
    try {
      if (body === undefined) target.connection.control(frame);
      else target.connection.data(this.pullId, frame, body.length);
    } catch (error) {
      this.fail(error instanceof WireError ? unsendable(error) : asFault(error), 'relay');
    }
  }

  #control(message: Parameters<PullTarget['connection']['control']>[0]): void {
    this.#options.target.connection.control(message);
  }

  /** Ends the pull from this side: the agent is told to stop. */
  giveUp(fault: PullFault, reason: CancelReason): void {
    this.#cancel(reason);
    this.fail(fault, 'relay');
  }

  #cancel(reason: CancelReason): void {
    if (!this.#sent) return;
    const { connection } = this.#options.target;
    connection.forget(this.pullId);
    try {
      connection.control({ action: 'cancel', pullId: this.pullId, reason });
    } catch {
      // The link is full or gone: the agent's own limits end the pull there.
    }
  }

  #late(): void {
    if (this.#over) return;
    const ms = this.#options.deadlineMs;
    const detail = `no reply began within ${ms} ms (Prefer: wait=N sets more)`;
    this.giveUp(new PullFault('deadline-exceeded', 'deadline', { detail }), 'deadline');
  }

  #end(fault: PullFault | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#deadline?.cancel();
    this.#request.stop();
    this.#options.upload?.stop();
    this.#transfer?.stop();
    const { pull, target, clock, receivedAt } = this.#options;
    target.finish(this.pullId);
    this.#options.ended({
      pull,
      device: target.device,
      instance: target.instance,
      status: this.#answered ?? this.#reply.status ?? fault?.status,
      code: fault?.code,
      stage: fault?.stage,
      detail: fault?.message,
      bytes: this.#reply.bytes,
      ms: clock.monotonic() - receivedAt,
    });
  }
}

function incomingOf({ exchange, upload }: PullInFlightOptions): IncomingBody {
  if (upload === undefined) return exchange;
  // Like a caller that waits for 100: none of it is sent, and the upload not spent, before the device wants it.
  return { body: upload, expectsContinue: true, proceed: () => undefined };
}

function fromAgent(message: Fault): PullFault {
  const code = isErrorCode(message.code) ? message.code : 'agent-error';
  return new PullFault(code, message.stage, {
    detail: message.detail,
    ...(message.retryAfterMs === undefined ? undefined : { retryAfterMs: message.retryAfterMs }),
    ...(message.extra === undefined ? undefined : { extra: message.extra }),
  });
}

/** A request that HTTP takes and the wire does not. */
function unsendable(error: WireError): PullFault {
  const code = error.code === 'too-large' ? 'request-head-too-large' : 'bad-request';
  const detail = `the request cannot be sent to the device: ${error.message}`;
  return new PullFault(code, 'send', { detail, cause: error });
}

function asFault(error: unknown): PullFault {
  if (error instanceof PullFault) return error;
  if (error instanceof WireError) {
    return new PullFault('protocol-error', 'stream', { detail: error.message, cause: error });
  }
  return new PullFault('relay-error', 'stream', {
    detail: 'the relay failed; its log says why, under this pull id',
    cause: error,
  });
}
