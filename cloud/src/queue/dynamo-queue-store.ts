import type { ByteRange } from '../object/object-store.ts';
import type { AnnouncedPart } from '../pull/object-reply.ts';
import type { DynamoTable } from '../registry/dynamo-call.ts';
import { bodiesOf, forgetBody, noteBody, sweepBodies } from './dynamo-queue-body.ts';
import {
  addPull,
  countOpen,
  endPull,
  listOpenDevices,
  markSent,
  readOpenPulls,
  readPull,
  takeBack,
  undertakeBody,
} from './dynamo-queued-pull.ts';
import { addFrame, readFrames } from './dynamo-reply-frame.ts';
import { addPart, addUploadEnd, addUploadId, keptUpload } from './dynamo-reply-upload.ts';
import type { KeptBody } from './kept-body.ts';
import type { UploadEnd } from './kept-upload.ts';
import type { QueueStore } from './queue-store.ts';
import type { PullEnd, PullRef, PullStands, QueuedPull, Sending } from './queued-pull.ts';
import type { ReplyFrame } from './reply-frame.ts';

/** Queued pulls in the registry's table: a device's in one partition, each reply in one of its own. */
export class DynamoQueueStore implements QueueStore {
  readonly #table: DynamoTable;

  constructor({ client, name }: DynamoTable) {
    this.#table = { client, name };
  }

  addPull(pull: QueuedPull) {
    return addPull(this.#table, pull);
  }

  queuedPull(ref: PullRef, now: number) {
    return readPull(this.#table, ref, now);
  }

  openPulls(device: string, limit: number) {
    return readOpenPulls(this.#table, device, limit);
  }

  countOpen(owner: string, most: number) {
    return countOpen(this.#table, owner, most);
  }

  openDevices() {
    return listOpenDevices(this.#table);
  }

  markSent(pull: QueuedPull, sending: Sending) {
    return markSent(this.#table, pull, sending);
  }

  takeBack(ref: PullRef, sentAs: string) {
    return takeBack(this.#table, ref, sentAs);
  }

  undertakeBody(ref: PullRef, sentAs: string, range: ByteRange) {
    return undertakeBody(this.#table, ref, sentAs, range);
  }

  endPull(ref: PullRef, stands: PullStands, end: PullEnd, keptUntil: number) {
    return endPull(this.#table, ref, stands, end, keptUntil);
  }

  addFrame(sentAs: string, frame: ReplyFrame, keptUntil: number) {
    return addFrame(this.#table, sentAs, frame, keptUntil);
  }

  frames(sentAs: string) {
    return readFrames(this.#table, sentAs);
  }

  addPart(sentAs: string, part: AnnouncedPart, keptUntil: number) {
    return addPart(this.#table, sentAs, part, keptUntil);
  }

  addUploadId(sentAs: string, uploadId: string, keptUntil: number) {
    return addUploadId(this.#table, sentAs, uploadId, keptUntil);
  }

  addUploadEnd(sentAs: string, end: UploadEnd, keptUntil: number) {
    return addUploadEnd(this.#table, sentAs, end, keptUntil);
  }

  keptUpload(sentAs: string) {
    return keptUpload(this.#table, sentAs);
  }

  noteBody(body: KeptBody) {
    return noteBody(this.#table, body);
  }

  bodiesOf(owner: string, now: number) {
    return bodiesOf(this.#table, owner, now);
  }

  forgetBody(owner: string, key: string) {
    return forgetBody(this.#table, owner, key);
  }

  sweepBodies(keptBefore: number, limit: number, removed: (key: string) => Promise<void>) {
    return sweepBodies(this.#table, { keptBefore, limit }, removed);
  }
}
