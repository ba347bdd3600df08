import { randomBytes } from 'node:crypto';
import {
  type Clock,
  codecFor,
  pullIds,
  type RelayMessage,
  type ReplyMessage,
} from '@pullwire/shared';
import type { Logger } from 'pino';
import type { Poster } from '../connection/poster.ts';
import type { ObjectStore } from '../object/object-store.ts';
import { orUnavailable } from '../presence/or-unavailable.ts';
import type { PullableDevice } from '../pull/pull-target.ts';
import { BodyFrames } from '../queue/body-frames.ts';
import { LargeBodies } from '../queue/large-bodies.ts';
import { ObjectQueueBodies } from '../queue/object-queue-bodies.ts';
import { QueueDelivery } from '../queue/queue-delivery.ts';
import { QueueEnds } from '../queue/queue-ends.ts';
import { QueueLog } from '../queue/queue-events.ts';
import type { QueueStore } from '../queue/queue-store.ts';
import { QueueUploads, type UploadedReplies } from '../queue/queue-uploads.ts';
import { QueuedGrants } from '../queue/queued-grant.ts';
import type { PullRef } from '../queue/queued-pull.ts';
import type { Registry } from '../registry/registry.ts';
import { mintReplyTo, type ReplyToKey } from '../reply/reply-to.ts';
import type { PendingWork } from './pending-work.ts';
import { queueBytes } from './queue-settings.ts';
import { RemotePullables } from './remote-pullables.ts';

export type QueueObjects = UploadedReplies & Pick<ObjectStore, 'put' | 'open' | 'remove'>;

export interface FunctionQueueParts {
  readonly registry: Pick<Registry, 'device' | 'closeLink' | 'deviceRecord' | 'keyByHash'>;
  readonly store: QueueStore;
  /** Where large bodies go; loaded with the first one. */
  objects(): Promise<QueueObjects>;
  readonly poster: Poster;
  readonly replyKey: ReplyToKey;
  readonly clock: Clock;
  readonly log: Logger;
  readonly work: PendingWork;
}

const pullsPerLink = 512;

const codec = codecFor('pullwire.v1+json');

/** Queued pulls in one environment of a function: any may send one, and any may hear its reply. */
export class FunctionQueue {
  readonly #parts: FunctionQueueParts;
  readonly log: QueueLog;
  readonly large: LargeBodies;
  readonly ends: QueueEnds;
  readonly delivery: QueueDelivery;

  constructor(parts: FunctionQueueParts) {
    const { registry, store, objects, poster, replyKey, clock, log, work } = parts;
    this.#parts = parts;
    this.log = new QueueLog(log);
    const { perCallerBytes, replyBytes } = queueBytes;
    const say = (connectionId: string, message: RelayMessage) =>
      poster.post(connectionId, codec.encode(message) as string);
    const bodyStore = new ObjectQueueBodies(objects);
    this.large = new LargeBodies({ store, bodyStore, clock, log: this.log, perCallerBytes });
    this.ends = new QueueEnds({ store, large: this.large, clock, log: this.log });
    const pullables = new RemotePullables({ registry, poster, work, clock });
    const find = async (id: string): Promise<PullableDevice | undefined> => {
      const device = await orUnavailable(registry.device(id));
      return device && pullables.pullable(device);
    };
    this.delivery = new QueueDelivery({
      store,
      ends: this.ends,
      grants: new QueuedGrants({ registry, wall: () => clock.wall() }),
      devices: { find, findAnew: find },
      clock,
      log: this.log,
      pullsPerLink,
      own: undefined,
      bodies: new BodyFrames({ store, large: this.large, say }),
      uploads: new QueueUploads({ store, large: this.large, objects, replyBytes, say }),
      newPullId: pullIds(randomBytes),
      replyTo: (address) => mintReplyTo(replyKey, address),
      say,
      random: Math.random,
      track: (running) => work.add(running),
    });
  }

  /** A link of the device has said hello. Resolves when what could go has gone. */
  async linked(device: string): Promise<void> {
    await this.delivery.deliver(device);
    await this.#parts.work.settled();
  }

  async received(pull: PullRef, message: ReplyMessage): Promise<void> {
    await this.delivery.received(pull, message);
    await this.#parts.work.settled();
  }
}
