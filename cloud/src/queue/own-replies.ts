import { ObjectStoreError } from '../object/object-store-error.ts';
import type { ReplyWindows } from '../pull/pull-dispatch.ts';
import { StoredBody } from '../pull/stored-body.ts';
import type { ReplyDesk } from '../reply/reply-desk.ts';
import { ArrivingReply, type ArrivingReplyOptions } from './arriving-reply.ts';
import { replyNote, requestKey } from './kept-body.ts';
import type { LargeBodies } from './large-bodies.ts';
import type { PieceStream } from './piece-stream.ts';
import { noRoomForReply, replyNotStored } from './queued-fault.ts';
import type { QueuedPull, Sending } from './queued-pull.ts';

/** A body up to this size goes into the table, as part of an item. */
const smallBytes = 16_384;

export interface OwnRepliesOptions {
  readonly desk: Pick<ReplyDesk, 'expect' | 'forget'>;
  readonly windows: ReplyWindows;
  readonly large: LargeBodies;
  /** Bytes of a reply's body at most. */
  readonly replyBytes: number;
  /** Takes care of work that nobody waits for; it handles its own errors. */
  track(work: Promise<unknown>): void;
}

/** Replies to pulls that this process sent come back to it, and nowhere else: so on one box. */
export class OwnReplies {
  readonly #options: OwnRepliesOptions;

  constructor(options: OwnRepliesOptions) {
    this.#options = options;
  }

  get desk(): OwnRepliesOptions['desk'] {
    return this.#options.desk;
  }

  get windows(): ReplyWindows {
    return this.#options.windows;
  }

  /** What takes the reply to this sending. */
  reply(
    pull: QueuedPull,
    sending: Sending,
    terms: Pick<ArrivingReplyOptions, 'windowBytes' | 'grant' | 'whole' | 'failed'>,
  ): ArrivingReply {
    const { method } = pull;
    const { replyBytes } = this.#options;
    const store: ArrivingReplyOptions['store'] = (bytes, content) =>
      this.#store(pull, sending, bytes, content);
    return new ArrivingReply({ ...terms, method, replyBytes, smallBytes, store });
  }

  /** The request's body, where it lies beside the table. */
  body(pull: QueuedPull): StoredBody | undefined {
    const { large, track } = this.#options;
    const { besideBytes: length } = pull;
    if (length === undefined) return undefined;
    return new StoredBody({ length, open: () => large.open(requestKey(pull), length), track });
  }

  async #store(
    pull: QueuedPull,
    sending: Sending,
    bytes: number,
    content: PieceStream,
  ): Promise<void> {
    const { large } = this.#options;
    const note = replyNote(pull, sending, bytes);
    if (!(await large.note(note))) throw noRoomForReply(large.perCallerBytes);
    try {
      await large.write(note.key, content);
      if (content.total < bytes) await large.note({ ...note, bytes: content.total });
    } catch (error) {
      if (!(error instanceof ObjectStoreError)) throw error;
      throw replyNotStored(error);
    }
  }
}
