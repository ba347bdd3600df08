import {
  Allowance,
  type Head,
  type HeaderList,
  type Pull,
  PullFault,
  WireError,
} from '@pullwire/shared';
import type { PullLink } from '../pull/pull-link.ts';
import type { ReplyWriter, SourceRun } from '../source/source.ts';

export interface ReplyOutcome {
  readonly status: number | undefined;
  readonly bytes: number;
  readonly fault: PullFault | undefined;
}

export interface ReplySenderHooks {
  /** Milliseconds since the pull arrived. */
  elapsed(): number;
  /** The last frame of the reply has been handed to the link. */
  ended(outcome: ReplyOutcome): void;
}

type Phase = 'waiting' | 'head-held' | 'streaming' | 'ended';

/**
 * Turns what a source writes into frames: numbers them, keeps to credit and frame size, and holds a head until the end
 * of the turn so that a small reply is one frame. Never more is held than the source wrote after it was told to wait.
 */
export class ReplySender implements ReplyWriter {
  readonly #link: PullLink;
  readonly #pull: Pull;
  readonly #hooks: ReplySenderHooks;
  readonly #credit: Allowance;
  #run: SourceRun | undefined;
  #phase: Phase = 'waiting';
  #head: Head | undefined;
  #seq = 0;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #sentBytes = 0;
  #status: number | undefined;
  #sourceEnded = false;
  #trailers: HeaderList | undefined;
  #linkFull = false;
  #sourceWaits = false;

  constructor(link: PullLink, pull: Pull, hooks: ReplySenderHooks) {
    this.#link = link;
    this.#pull = pull;
    this.#hooks = hooks;
    this.#credit = new Allowance(pull.credit);
  }

  /** The run that is to be resumed when there is room. */
  attach(run: SourceRun): void {
    this.#run = run;
  }

  get begun(): boolean {
    return this.#phase !== 'waiting';
  }

  /** The last frame has been handed to the link, or none ever will be. */
  get ended(): boolean {
    return this.#phase === 'ended';
  }

  /** `elapsedMs`: when the source gave its head, where that was earlier. */
  head(
    status: number,
    reason: string | undefined,
    headers: HeaderList,
    elapsedMs = this.#hooks.elapsed(),
  ): void {
    if (this.#phase !== 'waiting') return;
    this.#phase = 'head-held';
    // To the microsecond: long fractions cost both sides more to write and read than they tell.
    const ms = Math.round(elapsedMs * 1_000) / 1_000;
    const { pullId, replyTo } = this.#pull;
    const timing = { agentMs: ms, upstreamMs: ms };
    this.#head =
      reason === undefined
        ? { action: 'head', pullId, replyTo, seq: 0, status, headers, timing, end: false }
        : { action: 'head', pullId, replyTo, seq: 0, status, reason, headers, timing, end: false };
    process.nextTick(flushHead, this);
  }

  body(chunk: Uint8Array): boolean {
    if (this.#phase === 'ended' || this.#phase === 'waiting' || this.#sourceEnded) return true;
    if (chunk.length > 0) {
      this.#held.push(chunk);
      this.#heldBytes += chunk.length;
      if (this.#phase === 'streaming' || this.#heldBytes >= this.#link.limits.bodyBytes)
        this.pump();
    }
    this.#sourceWaits = this.#mustWait();
    return !this.#sourceWaits;
  }

  end(trailers?: HeaderList): void {
    if (this.#phase === 'ended' || this.#phase === 'waiting' || this.#sourceEnded) return;
    this.#sourceEnded = true;
    if (trailers !== undefined && trailers.length > 0) this.#trailers = trailers;
    if (this.#phase === 'streaming') this.pump();
  }

  /** All of the body at once, so that no frame beyond those with body is needed to end it. */
  whole(body: Uint8Array | undefined, trailers?: HeaderList): void {
    if (this.#phase === 'ended' || this.#phase === 'waiting' || this.#sourceEnded) return;
    if (body !== undefined && body.length > 0) {
      this.#held.push(body);
      this.#heldBytes += body.length;
    }
    this.#sourceEnded = true;
    if (trailers !== undefined && trailers.length > 0) this.#trailers = trailers;
    this.pump();
  }

  /** The body has gone another way. */
  leave(bytes: number): void {
    if (this.#phase === 'ended') return;
    this.#sentBytes += bytes;
    this.#finish(undefined);
  }

  fail(fault: PullFault): void {
    if (this.#phase === 'ended') return;
    this.#link.forget(this.#pull.pullId);
    this.#link.control({
      action: 'fault',
      pullId: this.#pull.pullId,
      replyTo: this.#pull.replyTo,
      code: fault.code,
      stage: fault.stage,
      detail: fault.message,
      ...(fault.retryAfterMs === undefined ? undefined : { retryAfterMs: fault.retryAfterMs }),
      ...(fault.extra === undefined ? undefined : { extra: fault.extra }),
    });
    this.#finish(fault);
  }

  /** Ends without a word: the relay no longer wants the reply, or the link is gone. */
  stop(fault: PullFault): void {
    if (this.#phase === 'ended') return;
    this.#link.forget(this.#pull.pullId);
    this.#finish(fault);
  }

  /** The relay lets the body run up to byte `limit`. */
  raise(limit: number): void {
    if (this.#credit.raise(limit)) this.pump();
  }

  /** The link's queue has room again for this pull. */
  room(): void {
    this.#linkFull = false;
    this.pump();
  }

  /** Sends what credit and the link allow, then lets the source go on where nothing is held any more. */
  pump(): void {
    try {
      this.#sendHeld();
    } catch (error) {
      this.fail(asUnsendable(error));
    }
  }

  #sendHeld(): void {
    if (this.#phase === 'head-held') this.#sendHead();
    while (this.#phase === 'streaming' && this.#heldBytes > 0 && !this.#linkFull) {
      const bytes = Math.min(this.#credit.available, this.#link.limits.bodyBytes);
      if (bytes === 0) break;
      this.#sendBody(this.#take(bytes));
    }
    if (this.#phase === 'streaming' && this.#sourceEnded && this.#heldBytes === 0) this.#sendEnd();
    if (this.#sourceWaits && this.#phase !== 'ended' && !this.#mustWait()) {
      this.#sourceWaits = false;
      this.#run?.resume();
    }
  }

  #mustWait(): boolean {
    if (this.#phase === 'head-held') return this.#heldBytes >= this.#credit.available;
    return this.#phase === 'streaming' && (this.#heldBytes > 0 || this.#linkFull);
  }

  #sendHead(): void {
    const head = this.#head as Head;
    this.#head = undefined;
    this.#phase = 'streaming';
    const room = Math.min(this.#link.bodyRoom(head), this.#credit.available);
    const body = this.#heldBytes > 0 && room > 0 ? this.#takeUpTo(room) : undefined;
    const last = this.#isLast();
    if (last || body !== undefined) this.#send(withBody(head, body, last), body);
    else this.#send(head);
    this.#status = head.status;
    if (last) this.#finish(undefined);
  }

  #sendBody(body: Uint8Array): void {
    const last = this.#isLast();
    const { pullId, replyTo } = this.#pull;
    this.#send({ action: 'body', pullId, replyTo, seq: this.#seq, end: last, body }, body);
    if (last) this.#finish(undefined);
  }

  #sendEnd(): void {
    const { pullId, replyTo } = this.#pull;
    const trailers = this.#trailers;
    this.#send({
      action: 'end',
      pullId,
      replyTo,
      seq: this.#seq,
      ...(trailers === undefined ? undefined : { trailers }),
    });
    this.#finish(undefined);
  }

  #send(message: Parameters<PullLink['data']>[1], body?: Uint8Array): void {
    const bytes = body === undefined ? 0 : body.length;
    this.#seq += 1;
    this.#sentBytes += bytes;
    if (bytes > 0) this.#credit.spend(bytes);
    // An event of 100 bytes costs the queue more than 100: count the frame's own head too.
    this.#linkFull = !this.#link.data(this.#pull.pullId, message, bytes + 128);
  }

  #isLast(): boolean {
    return this.#sourceEnded && this.#heldBytes === 0 && this.#trailers === undefined;
  }

  /** A piece of the first held chunk: never copies. */
  #take(bytes: number): Uint8Array {
    const first = this.#held[0] as Uint8Array;
    const piece = first.length <= bytes ? first : first.subarray(0, bytes);
    if (piece === first) this.#held.shift();
    else this.#held[0] = first.subarray(bytes);
    this.#heldBytes -= piece.length;
    return piece;
  }

  /** Up to `bytes` from several chunks: copies only where there are several. */
  #takeUpTo(bytes: number): Uint8Array {
    if (this.#held.length === 1) return this.#take(bytes);
    const pieces: Uint8Array[] = [];
    let left = bytes;
    while (left > 0 && this.#heldBytes > 0) {
      const piece = this.#take(left);
      pieces.push(piece);
      left -= piece.length;
    }
    return Buffer.concat(pieces);
  }

  #finish(fault: PullFault | undefined): void {
    this.#phase = 'ended';
    this.#head = undefined;
    this.#held = [];
    this.#heldBytes = 0;
    this.#hooks.ended({ status: this.#status, bytes: this.#sentBytes, fault });
  }
}

/** Field by field: a spread of an object costs several times as much, and every pull comes by here. */
function withBody(head: Head, body: Uint8Array | undefined, end: boolean): Head {
  const { action, pullId, replyTo, seq, status, headers } = head;
  const whole: { -readonly [K in keyof Head]: Head[K] } = {
    action,
    pullId,
    replyTo,
    seq,
    status,
    headers,
    end,
  };
  if (head.reason !== undefined) whole.reason = head.reason;
  if (head.timing !== undefined) whole.timing = head.timing;
  if (body !== undefined) whole.body = body;
  return whole;
}

/** What a source wrote and the wire does not take: a head over the limit, a header that is none. */
function asUnsendable(error: unknown): PullFault {
  const tooLarge = error instanceof WireError && error.code === 'too-large';
  if (tooLarge) {
    return new PullFault('reply-head-too-large', 'upstream', {
      detail: `the head of the reply does not fit into a frame: ${error.message}`,
      cause: error,
    });
  }
  return new PullFault('upstream-failed', 'upstream', {
    detail:
      error instanceof WireError
        ? `the reply cannot be sent: ${error.message}`
        : 'the agent failed; its log says why',
    cause: error,
  });
}

function flushHead(sender: ReplySender): void {
  sender.pump();
}
