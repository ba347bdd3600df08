import type { ByteRange } from '../object/object-store.ts';
import type { AnnouncedPart } from '../pull/object-reply.ts';
import type { KeptBody } from './kept-body.ts';
import type { KeptUpload, UploadEnd } from './kept-upload.ts';
import type { PullEnd, PullRef, PullStands, QueuedPull, Sending } from './queued-pull.ts';
import type { ReplyFrame } from './reply-frame.ts';

/**
 * Where queued pulls and their replies are kept. Every change is one conditional write, so that events which come twice,
 * late or beside each other change nothing. Reads are strong but where they say otherwise. Every method may throw a
 * `RegistryError`.
 */
export interface QueueStore {
  /** Throws `conflict` where the id is taken. */
  addPull(pull: QueuedPull): Promise<void>;
  /** Undefined where there is none, or it was kept long enough by `now`. */
  queuedPull(ref: PullRef, now: number): Promise<QueuedPull | undefined>;
  /** Those that wait or are out, in the order in which they were queued; at most `limit`. */
  openPulls(device: string, limit: number): Promise<readonly QueuedPull[]>;
  /** How many of an owner wait or are out, counted up to `most`; behind by a moment on AWS. */
  countOpen(owner: string, most: number): Promise<number>;
  /** Devices that have any; behind by a moment on AWS. */
  openDevices(): Promise<ReadonlySet<string>>;
  /**
   * Marks a waiting pull as sent, before it is: true for one sending only, whoever tries. The same sending again is the
   * same as once.
   */
  markSent(pull: QueuedPull, sending: Sending): Promise<boolean>;
  /** Back to the queue: this sending never reached the device, or may be repeated. False where another word came first. */
  takeBack(ref: PullRef, sentAs: string): Promise<boolean>;
  /** Undertakes to send these bytes of its body: true for one process, whoever tries, and in their order. */
  undertakeBody(ref: PullRef, sentAs: string, range: ByteRange): Promise<boolean>;
  /** Ends a pull that stands so; false where another word came first. `keptUntil` in milliseconds. */
  endPull(ref: PullRef, stands: PullStands, end: PullEnd, keptUntil: number): Promise<boolean>;

  /** Keeps one frame of a reply; the same one again changes nothing. `keptUntil` in milliseconds. */
  addFrame(sentAs: string, frame: ReplyFrame, keptUntil: number): Promise<void>;
  /** All frames that are kept of a reply, in their order. */
  frames(sentAs: string): Promise<readonly ReplyFrame[]>;

  /** Keeps what the agent announced of a reply by object storage; the same part again changes nothing. */
  addPart(sentAs: string, part: AnnouncedPart, keptUntil: number): Promise<void>;
  /** Keeps the id of the reply's upload of several parts; resolves with the one that was first. */
  addUploadId(sentAs: string, uploadId: string, keptUntil: number): Promise<string>;
  /** Keeps how it ended; the same again changes nothing. */
  addUploadEnd(sentAs: string, end: UploadEnd, keptUntil: number): Promise<void>;
  /** All that is kept of it. */
  keptUpload(sentAs: string): Promise<KeptUpload>;

  /** Notes a body that lies beside the table, before it does; one of the same key takes the place of the note before. */
  noteBody(body: KeptBody): Promise<void>;
  /** What is noted of an owner and was to be kept at `now`. */
  bodiesOf(owner: string, now: number): Promise<readonly KeptBody[]>;
  /** One that is not there is no error. */
  forgetBody(owner: string, key: string): Promise<void>;
  /**
   * Removes bodies that were to be kept until before `keptBefore` (milliseconds), each by `removed` and then its note; at
   * most `limit`. Resolves with how many. Rejects with what `removed` rejects with.
   */
  sweepBodies(
    keptBefore: number,
    limit: number,
    removed: (key: string) => Promise<void>,
  ): Promise<number>;
}
