import { Readable } from 'node:stream';
import { endToEndHeaders, type HeaderList, type PullFault, type Timer } from '@pullwire/shared';
import { faultOf, timeoutFault } from './http-fault.ts';
import { headFault, tooLargeFault } from './http-reply-limit.ts';
import type { HttpPhase, HttpUpstream } from './http-upstream.ts';
import type { ReplyWriter, SourceRequest, SourceRun } from './source.ts';

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
  #isResuming = false;

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
    if (!this.#isHeld || this.#isResuming) return;
    this.#isResuming = true;
    process.nextTick(HttpExchange.#letGo, this);
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
    const fault = headFault(this.request.method, status, rawHeaders, headers, this.#upstream);
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
    if (limit !== null && this.#replyBytes > limit) {
      return this.#fail(tooLargeFault(this.#upstream, 'stream'));
    }
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
    this.#fail(timeoutFault(this.#phase, ms, this.#upstream, this.#waitsForCaller()));
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
    exchange.#isResuming = false;
    if (exchange.isOver) return;
    exchange.#isHeld = false;
    exchange.#movedAt = exchange.#upstream.clock.monotonic();
    exchange.resumeUpstream();
  }
}
