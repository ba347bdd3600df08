import type { Complete, Put, Upload } from '@pullwire/shared';
import type { Exchange } from '../http/exchange.ts';
import type { ObjectReply, ReplyStore } from './object-reply.ts';
import type { ReplyToCaller } from './reply-to-caller.ts';

/** Where large replies go. */
export interface ReplyObjects {
  readonly store: ReplyStore;
  /** Bytes of what the host can stream to a caller. */
  readonly streamBytes: number;
  /** Work that goes on beside the pull, and after it. */
  track(work: Promise<unknown>): void;
}

export interface ObjectTransferHooks {
  put(message: Put): void;
  failed(error: unknown): void;
  /** Bytes went to the caller. */
  moved(): void;
  /** Takes care of work that goes on beside the pull; it handles its own errors. */
  track(work: Promise<unknown>): void;
}

export interface ObjectTransferParts {
  readonly object: ObjectReply;
  readonly exchange: Exchange;
  readonly reply: ReplyToCaller;
  /** What is larger is answered by 303: the host cannot stream it. */
  readonly streamBytes: number;
}

/** Brings a reply's body from object storage to the caller, once all of it is there. */
export class ObjectTransfer {
  readonly #parts: ObjectTransferParts;
  readonly #hooks: ObjectTransferHooks;
  #complete: Complete | undefined;
  #putsOut = false;
  #begun = false;
  #redirected = false;
  #over = false;
  #taken: (() => void) | undefined;

  constructor(parts: ObjectTransferParts, hooks: ObjectTransferHooks) {
    this.#parts = parts;
    this.#hooks = hooks;
  }

  upload(message: Upload): void {
    this.#parts.exchange.hold();
    this.#run(async () => {
      const put = await this.#parts.object.upload(message);
      this.#hooks.moved();
      if (this.#over) return;
      this.#putsOut = true;
      this.#hooks.put(put);
    });
  }

  /** May come before the head. */
  complete(message: Complete): void {
    this.#complete ??= message;
    this.headCame();
  }

  headCame(): void {
    const complete = this.#complete;
    if (complete === undefined || this.#begun || this.#parts.reply.status === undefined) return;
    this.#begun = true;
    this.#run(() => this.#deliver(complete));
  }

  /** The caller has taken what was written. */
  taken(): void {
    this.#taken?.();
  }

  /** A part is on its way to the storage: no frame tells how far it came. Its URL ends that after a while. */
  get storing(): boolean {
    return this.#putsOut && this.#complete === undefined;
  }

  /** The pull has ended: what lies in the storage is of no use any more. */
  stop(): void {
    if (this.#over) return;
    this.#over = true;
    this.#taken?.();
    if (!this.#redirected) this.#hooks.track(this.#parts.object.remove());
  }

  async #deliver(complete: Complete): Promise<void> {
    const { object, reply, exchange, streamBytes } = this.#parts;
    reply.objectBegins(complete.length);
    await object.complete(complete);
    if (this.#over) return;
    if (complete.length > streamBytes && reply.status === 200 && !exchange.headSent) {
      this.#redirected = true;
      return reply.redirect(object.url(reply.contentType));
    }
    const { body } = await object.open(complete.length);
    for await (const chunk of body) {
      if (this.#over) return;
      this.#hooks.moved();
      if (!reply.objectChunk(chunk)) await this.#room();
    }
    if (!this.#over) reply.objectEnds(complete.trailers);
  }

  #room(): Promise<void> {
    if (this.#parts.exchange.pendingBytes === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#taken = resolve;
    });
  }

  #run(work: () => Promise<void>): void {
    const running = work().catch((error: unknown) => {
      if (!this.#over) this.#hooks.failed(error);
    });
    this.#hooks.track(running);
  }
}
