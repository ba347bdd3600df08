import {
  type Clock,
  type HeaderList,
  headerValue,
  type Pull,
  type PullFault,
  type Put,
  type Timer,
} from '@pullwire/shared';
import type { PullLink } from '../pull/pull-link.ts';
import type { ReplyWriter, SourceRun } from '../source/source.ts';
import { ObjectReply, type ObjectReplyParts } from './object-reply.ts';
import type { ReplySender } from './reply-sender.ts';

export interface GatheredReplyOptions {
  readonly sender: ReplySender;
  readonly way: PullLink;
  readonly pull: Pull;
  readonly clock: Clock;
  readonly objects: ObjectReplyParts;
  /** Milliseconds since the pull arrived. */
  elapsed(): number;
}

/** A reply that is not whole by then goes on by frames (PROTOCOL.md, "Features", `upload`). */
const gatherMs = 2_000;
/** A head waits so long for its body, so that a small reply is one frame, and one invocation at the relay. */
const headHoldMs = 50;

interface HeldHead {
  readonly status: number;
  readonly reason: string | undefined;
  readonly headers: HeaderList;
  readonly ms: number;
}

/**
 * Holds a reply back until it is clear how it goes: whole by frames, by object storage where it outgrows its credit, or
 * by frames as it comes where the source takes its time. For links whose relay announced `upload`.
 */
export class GatheredReply implements ReplyWriter {
  readonly #options: GatheredReplyOptions;
  #mode: 'waiting' | 'gathering' | 'frames' | 'object' = 'waiting';
  #head: HeldHead | undefined;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #limit: number;
  #timer: Timer | undefined;
  #object: ObjectReply | undefined;
  #run: SourceRun | undefined;

  constructor(options: GatheredReplyOptions) {
    this.#options = options;
    this.#limit = options.pull.credit;
  }

  attach(run: SourceRun): void {
    this.#run = run;
    this.#options.sender.attach(run);
  }

  get begun(): boolean {
    return this.#mode !== 'waiting';
  }

  head(status: number, reason: string | undefined, headers: HeaderList): void {
    if (this.#mode !== 'waiting' || this.#options.sender.ended) return;
    const { clock, pull, elapsed } = this.#options;
    this.#head = { status, reason, headers, ms: elapsed() };
    this.#mode = 'gathering';
    if (isEventStream(headers)) return this.#toFrames();
    if (declaredBytes(pull.method, status, headers) > this.#limit) {
      this.#toObject();
      return;
    }
    const holdMs = Math.min(headHoldMs, pull.deadlineMs / 20);
    this.#timer = clock.after(holdMs, () => this.#headDue(gatherMs - holdMs));
  }

  body(chunk: Uint8Array): boolean {
    switch (this.#mode) {
      case 'waiting':
        return true;
      case 'gathering':
        return this.#gather(chunk);
      case 'frames':
        return this.#options.sender.body(chunk);
      case 'object':
        return this.#object?.add(chunk) ?? true;
    }
  }

  end(trailers?: HeaderList): void {
    if (this.#mode === 'object') return this.#object?.end(trailers);
    if (this.#mode !== 'gathering') return this.#options.sender.end(trailers);
    this.#close();
    this.#mode = 'frames';
    this.#sendHead();
    const held = this.#takeHeld();
    this.#options.sender.whole(held.length === 1 ? held[0] : Buffer.concat(held), trailers);
  }

  fail(fault: PullFault): void {
    this.#close();
    this.#options.sender.fail(fault);
  }

  stop(fault: PullFault): void {
    this.#close();
    this.#options.sender.stop(fault);
  }

  raise(limit: number): void {
    this.#limit = Math.max(this.#limit, limit);
    this.#options.sender.raise(limit);
  }

  room(): void {
    this.#options.sender.room();
  }

  put(message: Put): void {
    this.#object?.put(message);
  }

  /** What has no answer yet may have been lost. */
  repeat(): void {
    this.#object?.repeat();
  }

  #gather(chunk: Uint8Array): boolean {
    if (this.#options.sender.ended) return true;
    if (chunk.length > 0) this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    if (this.#heldBytes <= this.#limit) return true;
    return this.#toObject();
  }

  #headDue(leftMs: number): void {
    this.#sendHead();
    this.#options.sender.pump();
    if (this.#options.sender.ended) return;
    this.#timer = this.#options.clock.after(leftMs, () => this.#toFrames());
  }

  #sendHead(): void {
    const head = this.#head;
    if (head === undefined) return;
    this.#head = undefined;
    this.#options.sender.head(head.status, head.reason, head.headers, head.ms);
  }

  #toFrames(): void {
    this.#timer?.cancel();
    this.#mode = 'frames';
    this.#sendHead();
    for (const chunk of this.#takeHeld()) this.#options.sender.body(chunk);
  }

  /** False where the source should wait. */
  #toObject(): boolean {
    const { sender, objects } = this.#options;
    this.#timer?.cancel();
    this.#mode = 'object';
    this.#sendHead();
    sender.pump();
    if (sender.ended) return true;
    const object = this.#openObject(objects);
    this.#object = object;
    object.start();
    let goOn = true;
    for (const chunk of this.#takeHeld()) goOn = object.add(chunk);
    return goOn;
  }

  #openObject(objects: ObjectReplyParts): ObjectReply {
    const { sender, way, pull } = this.#options;
    const { pullId, replyTo } = pull;
    return new ObjectReply(objects, {
      say: (message) => way.control({ ...message, pullId, replyTo }),
      room: () => this.#run?.resume(),
      done: (bytes) => sender.leave(bytes),
      failed: (fault) => this.fail(fault),
    });
  }

  #takeHeld(): Uint8Array[] {
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    return held;
  }

  #close(): void {
    this.#timer?.cancel();
    this.#object?.stop();
  }
}

/** Server-sent events (HTML, "Server-sent events"): each is wanted when it comes. */
function isEventStream(headers: HeaderList): boolean {
  return /^text\/event-stream\b/i.test(headerValue(headers, 'content-type') ?? '');
}

/** What `Content-Length` says that the body has; 0 where it says nothing, or about no body (RFC 9110 §8.6). */
function declaredBytes(method: string, status: number, headers: HeaderList): number {
  if (method === 'HEAD' || status === 204 || status === 304) return 0;
  const declared = headerValue(headers, 'content-length') ?? '';
  return /^\d{1,15}$/.test(declared) ? Number(declared) : 0;
}
