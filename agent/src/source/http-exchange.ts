import { Readable } from 'node:stream';
import {
  type Clock,
  endToEndHeaders,
  type HeaderList,
  headBytes,
  headerValue,
  headLimitBytes,
  PullFault,
  type Timer,
} from '@pullwire/shared';
import type { HttpLimits } from './http-config.ts';
import { faultOf, type HttpPhase } from './http-fault.ts';
import type { ReplyWriter, SourceRequest, SourceRun } from './source.ts';

/** What the exchanges of one source have in common. */
export interface HttpUpstream {
  /** The source's name. */
  readonly name: string;
  /** Where it is, for people. */
  readonly label: string;
  readonly isSecure: boolean;
  readonly limits: HttpLimits;
  readonly clock: Clock;
}

/**
 * One pull at an HTTP upstream: limits, time-outs and faults, whichever client carries it (http-pool-exchange.ts,
 * http-expect-exchange.ts). The client calls the protected methods as things happen; after the end they do nothing.
 */
export abstract class HttpExchange implements SourceRun {
  protected readonly request: SourceRequest;
  readonly #upstream: HttpUpstream;
  readonly #reply: ReplyWriter;
  #phase: HttpPhase | 'over' = 'connecting';
  #timer: Timer | undefined;
  readonly #headMs: number;
  /** When a byte last moved, in either direction. */
  #movedAt: number;
  #replyBytes = 0;
  #isHeld = false;

  constructor(upstream: HttpUpstream, request: SourceRequest, reply: ReplyWriter) {
    this.#upstream = upstream;
    this.request = request;
    this.#reply = reply;
    this.#headMs = Math.min(upstream.limits.timeoutMs, request.budgetMs);
    this.#movedAt = upstream.clock.monotonic();
  }

  /** Sends the request. Nothing that goes wrong is thrown. */
  start(): void {
    this.#arm(this.#headMs);
    try {
      this.send();
    } catch (error) {
      this.broke(error);
    }
  }

  resume(): void {
    // Not at once: we may be called from within another exchange's parser, and undici's is not re-entrant.
    if (this.#isHeld) process.nextTick(HttpExchange.#letGo, this);
  }

  cancel(): void {
    if (this.#finish()) this.abortUpstream();
  }

  protected abstract send(): void;
  protected abstract pauseUpstream(): void;
  protected abstract resumeUpstream(): void;
  /** Closes the connection at once; called once, and before a connection was made perhaps. */
  protected abstract abortUpstream(): void;

  protected get isOver(): boolean {
    return this.#phase === 'over';
  }

  protected connected(): void {
    if (this.#phase === 'connecting') this.#phase = 'waiting';
  }

  /** A piece of the request's body was written. */
  protected bodySent(): void {
    this.#movedAt = this.#upstream.clock.monotonic();
  }

  protected headCame(status: number, reason: string, rawHeaders: HeaderList): void {
    // 1xx are between two hops (RFC 9110 §15.2); 100 is taken where it was asked for.
    if (this.#phase === 'over' || status < 200) return;
    const headers = endToEndHeaders(rawHeaders);
    const fault = this.#headProblem(status, headers);
    if (fault !== undefined) return this.#fail(fault);
    this.#phase = 'streaming';
    this.#movedAt = this.#upstream.clock.monotonic();
    // The timer of the head goes on as that of the body, unless it would come too late.
    if (this.#upstream.limits.idleMs < this.#headMs) this.#arm(this.#upstream.limits.idleMs);
    this.#reply.head(status, reason, headers);
  }

  protected bodyCame(chunk: Uint8Array): void {
    // undici gives an empty piece when it goes on after a pause.
    if (this.#phase !== 'streaming' || chunk.length === 0) return;
    const limit = this.#upstream.limits.replyBytes;
    this.#replyBytes += chunk.length;
    if (limit !== null && this.#replyBytes > limit) return this.#fail(this.#tooLarge('stream'));
    this.#movedAt = this.#upstream.clock.monotonic();
    if (this.#reply.body(chunk) || this.isOver || this.#isHeld) return;
    this.#isHeld = true;
    this.pauseUpstream();
  }

  protected ended(rawTrailers: HeaderList): void {
    if (!this.#finish()) return;
    if (rawTrailers.length === 0) this.#reply.end();
    else this.#reply.end(endToEndHeaders(rawTrailers));
  }

  protected broke(error: unknown): void {
    if (this.#phase === 'over') return;
    const { body } = this.request;
    const bodyError = body instanceof Readable && body.destroyed ? body.errored : null;
    this.#fail(faultOf(bodyError ?? error, this.#phase, this.#upstream, bodyError !== null));
  }

  #headProblem(status: number, headers: HeaderList): PullFault | undefined {
    const { name, label, limits } = this.#upstream;
    if (status > 599) {
      const detail = `the upstream of source "${name}" (${label}) answered with status ${status}`;
      return new PullFault('upstream-failed', 'upstream', { detail });
    }
    if (headBytes(headers) > headLimitBytes) {
      const detail = `the reply's head from ${label} is larger than ${headLimitBytes} bytes`;
      return new PullFault('reply-head-too-large', 'upstream', { detail });
    }
    if (limits.replyBytes === null || !this.#hasBody(status)) return undefined;
    const declared = Number(headerValue(headers, 'content-length') ?? 0);
    return declared > limits.replyBytes ? this.#tooLarge('upstream') : undefined;
  }

  /** RFC 9110 §6.4.1. */
  #hasBody(status: number): boolean {
    return this.request.method !== 'HEAD' && status !== 204 && status !== 304;
  }

  #tooLarge(stage: 'upstream' | 'stream'): PullFault {
    const { name, limits } = this.#upstream;
    const detail = `the reply is larger than the ${limits.replyBytes} bytes that source "${name}" allows (limits.replyBytes)`;
    return new PullFault('reply-too-large', stage, { detail });
  }

  #arm(ms: number): void {
    this.#timer?.cancel();
    this.#timer = this.#upstream.clock.after(ms, () => this.#timeIsUp());
  }

  #timeIsUp(): void {
    if (this.#phase === 'over') return;
    const ms = this.#phase === 'streaming' ? this.#upstream.limits.idleMs : this.#headMs;
    const left = this.#isHeld ? ms : this.#movedAt + ms - this.#upstream.clock.monotonic();
    // While the reply is held back the upstream owes us nothing.
    if (left > 0) return this.#arm(left);
    this.#fail(this.#timeoutFault(this.#phase, ms));
  }

  #timeoutFault(phase: HttpPhase, ms: number): PullFault {
    const { label } = this.#upstream;
    const spent = `${Math.round(ms)} ms`;
    if (phase === 'connecting') {
      const detail = `no connection to ${label} within ${spent}`;
      return new PullFault('upstream-connect-timeout', 'upstream-connect', { detail });
    }
    if (phase === 'streaming') {
      const detail = `${label} sent nothing of the body for ${spent} (limits.idleMs)`;
      return new PullFault('idle-timeout', 'stream', { detail });
    }
    if (this.#waitsForCaller()) {
      const detail = `the caller sent nothing of the request's body for ${spent}`;
      return new PullFault('idle-timeout', 'upstream', { detail });
    }
    const detail = `${label} gave no answer within ${spent} (limits.timeoutMs, or the pull's deadline)`;
    return new PullFault('upstream-timeout', 'upstream', { detail });
  }

  /** Whether the request's body is asked for, and neither whole nor held back by the upstream. */
  #waitsForCaller(): boolean {
    const { body } = this.request;
    return body instanceof Readable && body.readableFlowing === true && !body.readableEnded;
  }

  #fail(fault: PullFault): void {
    if (!this.#finish()) return;
    this.#reply.fail(fault);
    this.abortUpstream();
  }

  /** False where it was over before. */
  #finish(): boolean {
    if (this.#phase === 'over') return false;
    this.#phase = 'over';
    this.#timer?.cancel();
    const { body } = this.request;
    if (body instanceof Readable) body.destroy();
    return true;
  }

  static #letGo(exchange: HttpExchange): void {
    if (!exchange.#isHeld || exchange.isOver) return;
    exchange.#isHeld = false;
    exchange.#movedAt = exchange.#upstream.clock.monotonic();
    exchange.resumeUpstream();
  }
}
