import { codecFor, type RelayMessage } from '@pullwire/shared';
import type { ByteRange } from '../object/object-store.ts';
import { asUnreadable } from '../pull/stored-body.ts';
import { requestKey } from './kept-body.ts';
import type { LargeBodies } from './large-bodies.ts';
import type { QueueStore } from './queue-store.ts';
import type { QueuedPull, Sending } from './queued-pull.ts';

export interface BodyFramesOptions {
  readonly store: Pick<QueueStore, 'undertakeBody' | 'queuedPull'>;
  readonly large: Pick<LargeBodies, 'piece'>;
  /** Rejects with `PostError` where the link does not take it. */
  say(connectionId: string, message: RelayMessage): Promise<void>;
}

/** Bytes of every frame but the last: so the number of a frame tells its place, to whichever process. */
const frameBytes = codecFor('pullwire.v1+json').limits.bodyBytes;

/** Bytes that are read at a time: what an agent of ours has at once. */
const readBytes = 11 * frameBytes;

/**
 * Sends the request body of a queued pull that lies beside the table, where each credit of the agent may come to another
 * process, late and twice: each range of it is undertaken by one conditional write, and then posted.
 */
export class BodyFrames {
  readonly #options: BodyFramesOptions;

  constructor(options: BodyFramesOptions) {
    this.#options = options;
  }

  /**
   * The agent takes the body up to byte `limit`. Rejects with `PullFault` where the body cannot be read, with `PostError`
   * and with `RegistryError`.
   */
  async send(pull: QueuedPull, sending: Sending, limit: number): Promise<void> {
    const total = pull.besideBytes ?? 0;
    const to = limit >= total ? total : limit - (limit % frameBytes);
    const from = await this.#undertake(pull, sending, to);
    for (let at = from; at < to; at += readBytes) {
      await this.#post(pull, sending, { from: at, to: Math.min(at + readBytes, to) });
    }
  }

  /** From where on this process sends; `to` where nothing is left for it. */
  async #undertake(pull: QueuedPull, sending: Sending, to: number): Promise<number> {
    const { store } = this.#options;
    let now: Sending | undefined = sending;
    while (now?.sentAs === sending.sentAs) {
      const from: number = now.bodySent ?? 0;
      if (from >= to) return to;
      if (await store.undertakeBody(pull, sending.sentAs, { from, to })) return from;
      const read: QueuedPull | undefined = await store.queuedPull(pull, 0);
      now = read?.state === 'sent' ? read.sending : undefined; // another credit was first, or its end
    }
    return to;
  }

  async #post(
    pull: QueuedPull,
    { sentAs: pullId, connectionId }: Sending,
    range: ByteRange,
  ): Promise<void> {
    const { large, say } = this.#options;
    const body = await large.piece(requestKey(pull), range).catch((error: unknown) => {
      throw asUnreadable(error);
    });
    for (let at = 0; at < body.length; at += frameBytes) {
      const piece = body.subarray(at, at + frameBytes);
      const seq = 1 + (range.from + at) / frameBytes;
      const end = range.from + at + piece.length === pull.besideBytes;
      await say(connectionId, { action: 'body', pullId, seq, end, body: piece });
    }
  }
}
