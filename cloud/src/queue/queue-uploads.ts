import type { Complete, Head, RelayMessage, Upload } from '@pullwire/shared';
import { contentLength } from '../http/content-length.ts';
import { hasReplyBody } from '../http/pull-headers.ts';
import type { ObjectStore } from '../object/object-store.ts';
import { ObjectReply, type ReplyStore, stored } from '../pull/object-reply.ts';
import { replyKey, replyNote } from './kept-body.ts';
import type { KeptUpload, UploadEnd } from './kept-upload.ts';
import type { LargeBodies } from './large-bodies.ts';
import type { QueueStore } from './queue-store.ts';
import { noRoomForReply } from './queued-fault.ts';
import type { QueuedPull, Sending } from './queued-pull.ts';
import {
  bodyBytes,
  brokenReply,
  type KeptReply,
  type ReplyFrame,
  replyTooLarge,
} from './reply-frame.ts';

export type UploadedReplies = ReplyStore & Pick<ObjectStore, 'head'>;

export interface QueueUploadsOptions {
  readonly store: QueueStore;
  readonly large: LargeBodies;
  /** Where the agent puts the parts; loaded with the first one. */
  objects(): Promise<UploadedReplies>;
  /** Bytes of a reply's body at most. */
  readonly replyBytes: number;
  /** Rejects where the link does not take it. */
  say(connectionId: string, message: RelayMessage): Promise<void>;
}

/**
 * Replies to queued pulls by object storage (PROTOCOL.md, "Features", `upload`), where each message may come to another
 * process, late and twice: what was announced is kept, and whoever finds all of it there joins the parts.
 */
export class QueueUploads {
  readonly #options: QueueUploadsOptions;

  constructor(options: QueueUploadsOptions) {
    this.#options = options;
  }

  /** Signs the place of a part, and tells the agent. Throws `PullFault`, `RegistryError` or `PostError`. */
  async upload(pull: QueuedPull, sending: Sending, message: Upload): Promise<void> {
    const { store, say } = this.#options;
    const { part, length, sha256 } = message;
    const { sentAs, connectionId } = sending;
    await store.addPart(sentAs, { part, length, sha256 }, pull.keptUntil);
    const kept = await store.keptUpload(sentAs);
    await this.#checkRoom(pull, sending, kept);
    const uploadId = part === 1 && !message.more ? undefined : await this.#uploadId(pull, kept);
    const reply = await this.#reply(sentAs, { ...kept, ...(uploadId && { uploadId }) });
    await say(connectionId, await reply.upload(message));
  }

  /** Throws `RegistryError`. */
  async complete({ keptUntil }: QueuedPull, message: Complete): Promise<void> {
    const { parts, length } = message;
    await this.#options.store.addUploadEnd(message.pullId, { parts, length }, keptUntil);
  }

  /**
   * The reply, where all of it is there; undefined where its head or its end is missing. `frames`: those that are kept, in
   * order. Throws `PullFault` or `RegistryError`.
   */
  async whole(
    pull: QueuedPull,
    sentAs: string,
    frames: readonly ReplyFrame[],
  ): Promise<KeptReply | undefined> {
    const head = frames[0];
    if (head?.action !== 'head') return undefined;
    const kept = await this.#options.store.keptUpload(sentAs);
    if (kept.end === undefined) return undefined;
    checkHead(head, pull.method, kept.end.length);
    if (frames.length > 1 || bodyBytes(frames) > 0) {
      throw brokenReply('the reply has a body of its own already');
    }
    await this.#join(sentAs, kept, kept.end);
    return { head, bytes: kept.end.length };
  }

  async #checkRoom(pull: QueuedPull, sending: Sending, { parts }: KeptUpload): Promise<void> {
    const { large, replyBytes } = this.#options;
    const bytes = parts.reduce((sum, { length }) => sum + length, 0);
    if (bytes > replyBytes) throw replyTooLarge(replyBytes);
    if (await large.note(replyNote(pull, sending, bytes))) return;
    throw noRoomForReply(large.perCallerBytes);
  }

  /** Of several who begin an upload one is the first; the others take back theirs. */
  async #uploadId(pull: QueuedPull, kept: KeptUpload): Promise<string> {
    if (kept.uploadId !== undefined) return kept.uploadId;
    const { store, objects } = this.#options;
    const sentAs = pull.sending?.sentAs ?? '';
    const objectStore = await objects();
    const begun = await stored(() => objectStore.beginMultipart(replyKey(sentAs)));
    const first = await store.addUploadId(sentAs, begun, pull.keptUntil);
    if (first !== begun) {
      // One that stays is swept with the others.
      await objectStore.abortMultipart(replyKey(sentAs), begun).catch(() => undefined);
    }
    return first;
  }

  /** Another process may have joined the parts before: then there is no upload any more, and the object is there. */
  async #join(sentAs: string, kept: KeptUpload, end: UploadEnd): Promise<void> {
    const reply = await this.#reply(sentAs, kept);
    const failed = await reply.complete(end).then(
      () => undefined,
      (error: unknown) => error ?? new Error('it failed'),
    );
    const objectStore = await this.#options.objects();
    const bytes = await stored(() => objectStore.head(replyKey(sentAs))).catch((error: unknown) => {
      throw failed ?? error;
    });
    if (bytes === end.length) return;
    throw failed ?? brokenReply(`the object has ${bytes} bytes, not ${end.length}`);
  }

  async #reply(sentAs: string, { parts, uploadId }: KeptUpload): Promise<ObjectReply> {
    const objectStore = await this.#options.objects();
    return new ObjectReply(objectStore, sentAs, { key: replyKey(sentAs), parts, uploadId });
  }
}

function checkHead(head: Head, method: string, bytes: number): void {
  if (!hasReplyBody(method, head.status)) throw brokenReply('the reply has no body by its head');
  const declared = contentLength(head.headers);
  if (declared === undefined || declared === bytes) return;
  throw brokenReply(`the object has ${bytes} bytes, the Content-Length says ${declared}`);
}
