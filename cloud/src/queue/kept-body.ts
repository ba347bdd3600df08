import { objectPrefixes } from '../object/object-prefix.ts';
import type { ByteRange, ObjectStore, OpenObject } from '../object/object-store.ts';
import type { PullRef, QueuedPull, Sending } from './queued-pull.ts';

/** The note of a body that is too large for the table: by it, it counts for its owner, and is swept. */
export interface KeptBody {
  /** Id of the caller whose pull it belongs to. */
  readonly owner: string;
  readonly key: string;
  /** As many as it has at most, while it is on its way. */
  readonly bytes: number;
  /** Epoch milliseconds; from then on nobody asks for it. */
  readonly keptUntil: number;
}

/**
 * Where such bodies lie: a bucket, or a folder of the one-box server. Every method rejects with `ObjectStoreError`, and
 * `write` with what `content` throws.
 */
export interface QueueBodies extends Pick<ObjectStore, 'remove'> {
  /** Writes a whole body, at its own pace: it is there when this resolves, and never in part. */
  write(key: string, content: AsyncIterable<Uint8Array>): Promise<void>;
  open(key: string, range?: ByteRange): Promise<OpenObject>;
}

export function requestKey({ id }: PullRef): string {
  return `${objectPrefixes.queue}requests/${id}`;
}

/** Milliseconds beyond the time for the answer: its end may be written later. */
const lateMs = 3_600_000;

export function requestNote(pull: QueuedPull, bytes: number): KeptBody {
  const { owner, deadlineAt, answerMs } = pull;
  const keptUntil = deadlineAt + answerMs + lateMs;
  return { owner, key: requestKey(pull), bytes, keptUntil };
}

export function replyNote(
  { owner, keepMs }: QueuedPull,
  { sentAs, answerBy }: Sending,
  bytes: number,
): KeptBody {
  return { owner, key: replyKey(sentAs), bytes, keptUntil: answerBy + keepMs + lateMs };
}

/** Each sending has its own: a late reply to an earlier one changes nothing. */
export function replyKey(sentAs: string): string {
  return `${objectPrefixes.queue}replies/${sentAs}`;
}
