import {
  earlyFrameLimit,
  type Head,
  PullFault,
  Reorder,
  type ReplyBody,
  Window,
} from '@pullwire/shared';
import { contentLength } from '../http/content-length.ts';
import { hasReplyBody } from '../http/pull-headers.ts';
import { PieceStream } from './piece-stream.ts';
import { brokenReply, type KeptReply, type ReplyFrame, replyTooLarge } from './reply-frame.ts';

export interface ArrivingReplyOptions {
  /** Of the request. */
  readonly method: string;
  /** Bytes that may be on their way, or wait for the disk. */
  readonly windowBytes: number;
  /** Bytes of a body at most. */
  readonly replyBytes: number;
  /** A body up to this size is kept in memory, and in the table. */
  readonly smallBytes: number;
  /** Keeps a larger body, of at most so many bytes, as it comes; rejects where that cannot be. */
  store(bytes: number, content: PieceStream): Promise<void>;
  /** The reply body may run up to `limit`. May throw. */
  grant(limit: number): void;
  /** All frames are here; resolves when the body is kept, or rejects. Nothing more is taken. */
  whole(reply: Promise<KeptReply>): void;
  /** It cannot go on. */
  failed(error: unknown): void;
}

/**
 * The reply to a queued pull where one process hears all of it: a small body is kept in memory until it is whole, a large
 * one goes to the disk as it comes, and the agent sends as fast as the disk takes it.
 */
export class ArrivingReply {
  readonly #options: ArrivingReplyOptions;
  readonly #order: Reorder<ReplyFrame>;
  readonly #window: Window;
  #head: Head | undefined;
  #declared: number | undefined;
  #received = 0;
  #held: Uint8Array[] = [];
  #pieces: PieceStream | undefined;
  #stored: Promise<void> | undefined;
  #over = false;
  isWhole = false;

  constructor(options: ArrivingReplyOptions) {
    const { windowBytes } = options;
    this.#options = options;
    this.#window = new Window(windowBytes);
    this.#order = new Reorder({ frames: earlyFrameLimit, bytes: windowBytes, next: 0 });
  }

  /** Throws `PullFault` or `WireError` where the frames make no reply that can be kept. */
  take(frame: ReplyFrame): void {
    if (this.#over || this.isWhole) return;
    const bytes = frame.action === 'end' ? 0 : (frame.body?.length ?? 0);
    this.#order.accept(frame, bytes, this.#deliver);
  }

  /** Nobody wants it any more: what is on its way to the disk leaves nothing there. */
  stop(): void {
    if (this.#over) return;
    this.#over = true;
    this.#held = [];
    this.#pieces?.break(pullOver());
  }

  readonly #deliver = (frame: ReplyFrame): void => {
    if (frame.action === 'head') this.#begin(frame);
    if (frame.action !== 'end' && frame.body !== undefined) this.#add(frame.body);
    if (frame.action === 'end' || frame.end) this.#end();
  };

  #begin(head: Head): void {
    const { method, replyBytes } = this.#options;
    this.#head = head;
    if (!hasReplyBody(method, head.status)) return;
    const declared = contentLength(head.headers);
    if (declared === 'invalid') throw brokenReply('the reply has no single valid Content-Length');
    if (declared !== undefined && declared > replyBytes) throw replyTooLarge(replyBytes);
    this.#declared = declared;
  }

  #add(body: ReplyBody['body']): void {
    const { method, replyBytes, smallBytes } = this.#options;
    this.#window.received(body.length);
    this.#received += body.length;
    if (this.#received > replyBytes) throw replyTooLarge(replyBytes);
    if (this.#declared !== undefined && this.#received > this.#declared) throw this.#otherLength();
    if (!hasReplyBody(method, this.#head?.status ?? 0)) return this.#taken(this.#received);
    if (this.#pieces !== undefined) return this.#pieces.add(body);
    this.#held.push(body);
    if (this.#received <= smallBytes) this.#taken(this.#received);
    else this.#toDisk();
  }

  #toDisk(): void {
    const { store, replyBytes, failed } = this.#options;
    this.#pieces = new PieceStream((total) => this.#takenByDisk(total));
    for (const piece of this.#held.splice(0)) this.#pieces.add(piece);
    this.#stored = store(this.#declared ?? replyBytes, this.#pieces);
    this.#stored.catch((error: unknown) => {
      if (!this.#over && !this.isWhole) failed(error);
    });
  }

  #takenByDisk(total: number): void {
    if (this.#over || this.isWhole) return;
    try {
      this.#taken(total);
    } catch (error) {
      this.#options.failed(error); // the link takes nothing more
    }
  }

  #taken(total: number): void {
    const limit = this.#window.taken(total);
    if (limit !== undefined) this.#options.grant(limit);
  }

  #end(): void {
    if (this.#declared !== undefined && this.#received !== this.#declared)
      throw this.#otherLength();
    this.isWhole = true;
    this.#pieces?.end();
    this.#options.whole(this.#kept());
  }

  async #kept(): Promise<KeptReply> {
    const head = this.#head;
    if (head === undefined) throw brokenReply('the reply has no head');
    await this.#stored;
    if (this.#over) throw pullOver();
    if (this.#stored !== undefined) return { head, bytes: this.#received };
    const body = hasReplyBody(this.#options.method, head.status)
      ? Buffer.concat(this.#held)
      : Buffer.alloc(0);
    return { head, bytes: body.length, body };
  }

  #otherLength(): PullFault {
    const says = `its Content-Length says ${this.#declared}`;
    return brokenReply(`the reply's body has ${this.#received} bytes, ${says}`);
  }
}

/** Seen by nobody: whoever ended the pull has said why. */
function pullOver(): PullFault {
  return new PullFault('relay-error', 'stream', { detail: 'the queued pull has ended' });
}
