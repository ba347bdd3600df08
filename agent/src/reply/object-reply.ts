import {
  type Clock,
  type Complete,
  type HeaderList,
  PullFault,
  type Put,
  partLimit,
  type Timer,
  type Upload,
  type UploadedPart,
} from '@pullwire/shared';
import { type PartStore, PartStoreError, storePart } from './part-store.ts';
import { ReplyPart } from './reply-part.ts';
import type { UploadPlaces } from './upload-places.ts';

/** What all replies by object storage share. */
export interface ObjectReplyParts {
  readonly store: PartStore;
  readonly places: UploadPlaces;
  readonly clock: Clock;
  /** Of one part at most. */
  readonly partBytes: number;
}

export type UploadTerms = Omit<Upload, 'pullId' | 'replyTo'>;
export type CompleteTerms = Omit<Complete, 'pullId' | 'replyTo'>;

export interface ObjectReplyHooks {
  say(message: UploadTerms | CompleteTerms): void;
  /** The source may go on after `add` returned false. */
  room(): void;
  /** `complete` has been said. */
  done(bytes: number): void;
  failed(fault: PullFault): void;
}

/** For the relay to answer `upload`. */
const putWithinMs = 30_000;

/**
 * The body of one reply on its way through object storage (PROTOCOL.md, "Features", `upload`): collected into parts, of
 * which one is on its way while the next is filled.
 */
export class ObjectReply {
  readonly #shared: ObjectReplyParts;
  readonly #hooks: ObjectReplyHooks;
  readonly #abort = new AbortController();
  readonly #stored: UploadedPart[] = [];
  /** The first is on its way, or will be next. */
  readonly #parts: ReplyPart[] = [];
  #state: 'outside' | 'filling' | 'announced' | 'storing' | 'over' = 'outside';
  #said: UploadTerms | undefined;
  #putDue: Timer | undefined;
  #count = 0;
  #heldBytes = 0;
  #totalBytes = 0;
  #sourceWaits = false;
  #ended = false;
  #trailers: HeaderList | undefined;

  constructor(shared: ObjectReplyParts, hooks: ObjectReplyHooks) {
    this.#shared = shared;
    this.#hooks = hooks;
  }

  /** Waits for a place among the replies that may hold parts in memory. */
  start(): void {
    this.#shared.places.enter(this.#enter);
  }

  /** False: the source should wait for `room`. */
  add(chunk: Uint8Array): boolean {
    if (this.#state === 'over' || this.#ended) return true;
    this.#fill(chunk);
    this.#advance();
    this.#sourceWaits = !this.#hasRoom();
    return !this.#sourceWaits;
  }

  end(trailers: HeaderList | undefined): void {
    this.#ended = true;
    this.#trailers = trailers;
    this.#advance();
  }

  /** Where the part goes that was announced; another one, or a second time, is ignored. */
  put(message: Put): void {
    const part = this.#parts[0];
    if (this.#state !== 'announced' || part === undefined || message.part !== part.number) return;
    this.#putDue?.cancel();
    this.#state = 'storing';
    void this.#store(message, part);
  }

  /** Says again what waits for an answer. */
  repeat(): void {
    if (this.#state === 'announced' && this.#said !== undefined) this.#hooks.say(this.#said);
  }

  /** Stops what is under way and frees the memory. */
  stop(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#putDue?.cancel();
    this.#abort.abort();
    this.#parts.length = 0;
    this.#shared.places.leave(this.#enter);
  }

  readonly #enter = (): void => {
    this.#state = 'filling';
    this.#advance();
    this.#resume();
  };

  #fill(chunk: Uint8Array): void {
    this.#heldBytes += chunk.length;
    this.#totalBytes += chunk.length;
    let rest = chunk;
    const last = this.#parts.at(-1);
    if (last !== undefined) rest = last.add(rest);
    while (rest.length > 0) {
      this.#count += 1;
      const part = new ReplyPart(this.#count, this.#shared.partBytes);
      rest = part.add(rest);
      this.#parts.push(part);
    }
  }

  #hasRoom(): boolean {
    return this.#state !== 'outside' && this.#heldBytes < 2 * this.#shared.partBytes;
  }

  #resume(): void {
    if (!this.#sourceWaits || !this.#hasRoom()) return;
    this.#sourceWaits = false;
    this.#hooks.room();
  }

  #advance(): void {
    if (this.#state !== 'filling') return;
    const part = this.#parts[0];
    const more = this.#parts.length > 1;
    if (part === undefined) {
      if (this.#ended) this.#complete();
    } else if (more || this.#ended) {
      this.#announce(part, more);
    }
  }

  #announce(part: ReplyPart, more: boolean): void {
    if (part.number > partLimit.count) {
      const mib = Math.floor((partLimit.count * this.#shared.partBytes) / (1024 * 1024));
      return this.#fail('reply-too-large', `the reply is larger than ${mib} MiB`);
    }
    const { number, bytes, sha256 } = part;
    this.#said = { action: 'upload', part: number, length: bytes, sha256, more };
    this.#state = 'announced';
    this.#putDue = this.#shared.clock.after(putWithinMs, () =>
      this.#fail(
        'reply-not-stored',
        `the relay gave no place for part ${number} of the reply within ${putWithinMs} ms`,
      ),
    );
    this.#hooks.say(this.#said);
  }

  async #store(put: Put, part: ReplyPart): Promise<void> {
    const { store, clock } = this.#shared;
    const { signal } = this.#abort;
    try {
      const etag = await storePart(store, put, part, { clock, signal });
      if (!signal.aborted) this.#partStored(part, etag);
    } catch (error) {
      if (!signal.aborted) this.#storeFailed(part, error);
    }
  }

  #partStored(part: ReplyPart, etag: string): void {
    this.#stored.push({ part: part.number, etag });
    this.#parts.shift();
    this.#heldBytes -= part.bytes;
    this.#state = 'filling';
    this.#advance();
    this.#resume();
  }

  #storeFailed(part: ReplyPart, error: unknown): void {
    const why = error instanceof PartStoreError ? error.message : 'the agent failed';
    this.#fail(
      'reply-not-stored',
      `part ${part.number} of the reply was not stored: ${why}`,
      error,
    );
  }

  #complete(): void {
    const length = this.#totalBytes;
    const trailers = this.#trailers;
    const withTrailers = trailers === undefined || trailers.length === 0 ? undefined : { trailers };
    this.#hooks.say({ action: 'complete', parts: this.#stored, length, ...withTrailers });
    this.stop();
    this.#hooks.done(length);
  }

  #fail(code: 'reply-too-large' | 'reply-not-stored', detail: string, cause?: unknown): void {
    this.stop();
    this.#hooks.failed(new PullFault(code, 'stream', { detail, cause }));
  }
}
